import type { Level } from './features.ts'
import { between, distance, type Flat } from './geometry.ts'
import { holdsAnArm, type Run, runAt } from './mask-rows.ts'
import { pair } from './posture.ts'
import type { SeenCloseUp } from './sight.ts'

/**
 * Where a width is taken, on the way from the middle of the shoulders (0) to the middle of the hip joints (1): the chest below the armpits,
 * the waist where the trunk is narrowest, the hip where it is widest. `heightShare` is about that height as a share of stature.
 */
const ZONES = {
  chest: { from: 0.3, to: 0.42, pick: mean, heightShare: 0.72 },
  waist: { from: 0.4, to: 0.75, pick: narrowest, heightShare: 0.64 },
  hip: { from: 0.9, to: 1.3, pick: widest, heightShare: 0.5 },
} as const satisfies Record<Level, object>

/** Of a zone this share of its rows must show the trunk alone. */
const ROWS_SHARE_MIN = 0.25
const ROWS = 36
/** The narrowest place is one of many noisy rows: the mean of this share of them moves less than the smallest does. */
const NARROW_SHARE = 0.1

/** Breadth of the trunk at a level, px, and the height at which it lies; null where arms hide it or the mask has a hole. */
export interface Breadth {
  readonly px: number
  readonly heightShare: number
  /** The row of the close-up that is as broad, or nearly. */
  readonly row: TrunkRow
}

/** A stretch of the trunk, px. */
export interface TrunkRow extends Run {
  readonly y: number
}

/** From the front, arms do not count as trunk. */
export function frontBreadth(closeUp: SeenCloseUp, level: Level): Breadth | null {
  return breadth(closeUp, level, (run, y) => !holdsAnArm(closeUp, run, y))
}

/** From the side, arms hang before the trunk and hide none of its depth. */
export function sideBreadth(closeUp: SeenCloseUp, level: Level): Breadth | null {
  return breadth(closeUp, level, () => true)
}

function breadth(closeUp: SeenCloseUp, level: Level, isTrunk: (run: Run, y: number) => boolean): Breadth | null {
  const [shoulders, hips] = [pair(closeUp, 'Shoulder'), pair(closeUp, 'Hip')]
  const { from, to, pick, heightShare } = ZONES[level]
  const rows = Array.from({ length: ROWS }, (_, i) => between(shoulders, hips, from + ((to - from) * i) / (ROWS - 1)))
    .map((centre) => ({ run: runAt(closeUp, centre), y: centre.y }))
    .flatMap(({ run, y }) => (run && isTrunk(run, y) ? [{ ...run, y }] : []))
  const [first, ...others] = rows
  if (first === undefined || rows.length < ROWS * ROWS_SHARE_MIN) return null
  const px = pick(rows.map(widthOf))
  const off = (row: TrunkRow) => Math.abs(widthOf(row) - px)
  const row = others.reduce((best, one) => (off(one) < off(best) ? one : best), first)
  return { px: px * uprightness(shoulders, hips), heightShare, row }
}

const widthOf = ({ from, to }: Run): number => to - from

function mean(widths: readonly number[]): number {
  return widths.reduce((sum, value) => sum + value, 0) / widths.length
}

function narrowest(widths: readonly number[]): number {
  return mean(widths.toSorted((a, b) => a - b).slice(0, Math.ceil(widths.length * NARROW_SHARE)))
}

function widest(widths: readonly number[]): number {
  return Math.max(...widths)
}

/** A row cuts a leaning trunk at an angle. */
const uprightness = (shoulders: Flat, hips: Flat): number => Math.abs(hips.y - shoulders.y) / distance(shoulders, hips)
