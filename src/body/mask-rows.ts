import type { Flat } from './geometry.ts'
import { landmark, type SeenCloseUp, type SeenPoints } from './sight.ts'

/** Mask values above this belong to the person. */
const INSIDE = 127.5

/** A stretch of a row of the mask, px. */
export interface Run {
  readonly from: number
  readonly to: number
}

/** What of the row at `centre` belongs to the person without a gap; null where the centre itself does not. */
export function runAt({ side, mask }: SeenCloseUp, centre: Flat): Run | null {
  const [x, y] = [Math.round(centre.x), Math.round(centre.y)]
  if (x < 0 || x >= side || y < 0 || y >= side) return null
  const row = mask.subarray(y * side, (y + 1) * side)
  if (valueAt(row, x) <= INSIDE) return null
  return { from: -edge(row, x, -1), to: edge(row, x, 1) }
}

/** Where the mask falls below `INSIDE` on the way from x, between two pixels; counted in the direction of `step`. */
function edge(row: Uint8Array, x: number, step: 1 | -1): number {
  let last = x
  while (valueAt(row, last + step) > INSIDE) last += step
  const [inside, outside] = [valueAt(row, last), valueAt(row, last + step)]
  return last * step + (inside - INSIDE) / (inside - outside)
}

/** Beyond the picture nobody is seen. */
const valueAt = (row: Uint8Array, x: number): number => row[x] ?? 0

/** Whether an arm or hand crosses the row of this run inside of it: then its width is not the trunk's. */
export function holdsAnArm(body: SeenPoints, run: Run, y: number): boolean {
  return (['left', 'right'] as const).some((side) => {
    const arm = [landmark(body, `${side}Elbow`), landmark(body, `${side}Wrist`), landmark(body, `${side}Index`)]
    const joints = [landmark(body, `${side}Shoulder`), ...arm]
    return arm.some((end, i) => crosses(joints[i] ?? end, end, run, y))
  })
}

function crosses(a: Flat, b: Flat, { from, to }: Run, y: number): boolean {
  if ((a.y - y) * (b.y - y) > 0 || a.y === b.y) return false
  const x = a.x + ((b.x - a.x) * (y - a.y)) / (b.y - a.y)
  return x >= from && x <= to
}
