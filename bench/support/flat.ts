import { poseRssMb, poseRssOfEachMb } from './pose.ts'

/** Photos after which memory must be flat. */
const PHOTOS = 2_000
/** By then everything is compiled, and every size of photo was met. */
const SETTLED = 400
const STEP = 100
/** A slow machine stops earlier, says how far it came, and keeps no promise. */
const LONGEST_MS = 540_000

/** Memory of this process and its engines once settled, at the last photo, and the difference. */
export const growthOver = async (look: (photos: number) => Promise<void>) => {
  const startedAt = performance.now()
  let [settledMb, photos] = [Number.NaN, 0]
  while (photos < PHOTOS && performance.now() - startedAt < LONGEST_MS) {
    await look(STEP)
    photos += STEP
    if (photos === SETTLED) settledMb = poseRssMb()
    const [ours = Number.NaN, ...engines] = poseRssOfEachMb().map(Math.round)
    console.log(
      `${photos} photos: ${poseRssMb().toFixed(0)} MB, this process ${ours}, engines ${engines.join(' and ')}`,
    )
  }
  const rssMb = poseRssMb()
  return { photos, settled_mb: settledMb, rss_mb: rssMb, growth_mb: rssMb - settledMb }
}
