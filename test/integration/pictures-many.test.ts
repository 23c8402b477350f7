import { expect, test } from 'vitest'
import { phonePhoto } from '../support/photo.ts'
import { pictureCrowd } from '../support/picture-crowd.ts'

const SESSIONS = 200

test('200 sessions at once with photos of 4 MB stay below 600 MB, and hold up the event loop by less than 50 ms', async () => {
  const photo = await phonePhoto()
  expect(photo.byteLength).toBeGreaterThan(3_500_000)
  const crowd = await pictureCrowd(SESSIONS, photo)
  expect(crowd).toMatchObject({ images: SESSIONS })
  expect(crowd.peakMb).toBeLessThan(600)
  // Other tests run beside this one: what they take from the processor is not ours. `bench -- prepare` holds the whole delay to it.
  expect(crowd.ownLoopP99Ms).toBeLessThan(50)
}, 120_000)
