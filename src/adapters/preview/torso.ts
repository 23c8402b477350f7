import type { Sharp } from 'sharp'
import { distance } from './cutout.ts'

/** Where the shoulders are, as shares of the picture's width and height. */
export interface Shoulders {
  readonly centreX: number
  readonly y: number
  readonly width: number
}

/** Where they are on most full-body photos: taken when the silhouette does not show them. */
const USUAL: Shoulders = { centreX: 0.5, y: 0.25, width: 0.3 }
const COLUMNS = 120
const EDGE_COLUMNS = 3
const BODY_DISTANCE = 42
/** Holes in a row of the silhouette up to this many columns are closed: a pale collar, a highlight. */
const HOLE_COLUMNS = 2
/** From the top down, the shoulders are where the silhouette first is so much wider than the head above. */
const WIDER_THAN_HEAD = 1.6

/** Finds the shoulders of a person before a fairly plain background, by the silhouette alone. */
export async function findShoulders(picture: Sharp): Promise<Shoulders> {
  const { data, info } = await picture
    .resize({ width: COLUMNS })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  const rows = Array.from({ length: info.height }, (_, y) => longestRun(data, y))
  return shouldersOf(rows) ?? USUAL
}

interface Run {
  readonly from: number
  readonly width: number
}

/** The longest stretch of a row that differs from the background, which is read off the row's two ends. */
function longestRun(data: Buffer, y: number): Run {
  const row = y * COLUMNS
  const left = meanColour(data, row)
  const right = meanColour(data, row + COLUMNS - EDGE_COLUMNS)
  let best: Run = { from: 0, width: 0 }
  let from = -1
  let last = -1
  for (let x = 0; x < COLUMNS; x++) {
    const share = x / (COLUMNS - 1)
    const background = left.map((value, channel) => value + ((right[channel] ?? value) - value) * share)
    if (distance(data, (row + x) * 3, background) < BODY_DISTANCE) continue
    if (from < 0 || x - last > HOLE_COLUMNS + 1) from = x
    last = x
    if (last - from + 1 > best.width) best = { from, width: last - from + 1 }
  }
  return best
}

const meanColour = (data: Buffer, pixel: number): number[] =>
  [0, 1, 2].map((channel) => {
    const values = Array.from({ length: EDGE_COLUMNS }, (_, x) => data[(pixel + x) * 3 + channel] ?? 0)
    return values.reduce((sum, value) => sum + value, 0) / EDGE_COLUMNS
  })

/** The shoulders in the silhouette's rows, or null when it does not look like a person from the head down. */
export function shouldersOf(rows: readonly Run[]): Shoulders | null {
  const top = rows.findIndex((_, y) =>
    rows.slice(y, y + 3).every(({ width }) => width > 0.03 * COLUMNS && width < 0.4 * COLUMNS),
  )
  if (top < 0) return null
  for (let y = top + 4; y < rows.length * 0.6; y++) {
    const head = medianWidth(rows.slice(top, y))
    if (y - top < 1.1 * head || (rows[y]?.width ?? 0) < WIDER_THAN_HEAD * head) continue
    return measured(rows, y, y - top)
  }
  return null
}

function measured(rows: readonly Run[], y: number, headRows: number): Shoulders | null {
  const band = rows.slice(y, y + Math.ceil(headRows * 0.5))
  const width = Math.max(...band.map((run) => run.width)) / COLUMNS
  const centreX = band.reduce((sum, run) => sum + run.from + run.width / 2, 0) / band.length / COLUMNS
  const headShare = headRows / rows.length
  const isLikely = width > 0.12 && width < 0.75 && centreX > 0.2 && centreX < 0.8 && headShare < 0.35
  return isLikely ? { centreX, y: y / rows.length, width } : null
}

const medianWidth = (rows: readonly Run[]): number =>
  rows.map(({ width }) => width).toSorted((a, b) => a - b)[rows.length >> 1] ?? 0
