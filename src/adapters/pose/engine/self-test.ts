import type { RgbPicture } from '../../../machines/ports/pose.ts'
import { Estimated } from '../messages.ts'
import { drawFigure, figurePoints } from './figure.ts'

/** How far from its place a point of the drawn figure may be found, as a share of the picture. */
const TOLERANCE = 0.05
/** How sure MoveNet must be of it. */
const SCORE_MIN = 0.3

/**
 * Has the engine find the drawn figure: a wrong or damaged network loads all the same and shows only here.
 * @throws with what is wrong.
 */
export const selfTest = async (estimate: (picture: RgbPicture) => Promise<unknown>): Promise<void> => {
  const picture = drawFigure()
  const answer = await estimate(picture).catch((error: unknown) => {
    throw new Error(`self-test: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  })
  const found = Estimated.safeParse(answer)
  const problem = found.success ? problemOf(found.data, picture) : 'the networks compute what is no number'
  if (problem !== null) throw new Error(`self-test: ${problem}`)
}

/** What is wrong with what was found in the drawn figure; null when nothing is. */
const problemOf = ({ body, people }: Estimated, { width, height }: RgbPicture): string | null => {
  if (body === null) return 'BlazePose finds nobody in the drawn figure'
  if ((people[0]?.score ?? 0) < SCORE_MIN) return 'MoveNet finds nobody in the drawn figure'
  const astray = Object.entries(figurePoints).find(([index, [x, y]]) => {
    const point = body.landmarks[Number(index)]
    return point === undefined || Math.hypot(point.x / width - x, point.y / height - y) > TOLERANCE
  })
  return astray === undefined ? null : `BlazePose's point ${astray[0]} lies far from its place in the drawn figure`
}
