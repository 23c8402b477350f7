import { poseRssMb } from './pose.ts'

/** Photos after which memory must be flat. */
const PHOTOS = 2_000
/** By then everything is compiled, and every size of photo was met. */
const SETTLED = 400
const STEP = 100
/** A slow machine stops earlier, and says how far it came. */
const LONGEST_MS = 220_000

/** Memory of this process and its engines once settled, and by how much it grew until the last photo. */
export const growthOver = async (look: (photos: number) => Promise<void>) => {
  const startedAt = performance.now()
  let [settledMb, photos] = [Number.NaN, 0]
  while (photos < PHOTOS && performance.now() - startedAt < LONGEST_MS) {
    await look(STEP)
    photos += STEP
    if (photos === SETTLED) settledMb = poseRssMb()
    console.log(`${photos} photos: ${poseRssMb().toFixed(0)} MB`)
  }
  return { photos, settled_mb: settledMb, growth_mb: poseRssMb() - settledMb }
}
