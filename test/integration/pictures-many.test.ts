import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Crowd } from '../processes/picture-sessions.ts'
import { phonePhoto } from '../support/photo.ts'

const CROWD = join(import.meta.dirname, '../processes/picture-sessions.ts')
/** As the program itself is started. */
const MEMORY_FLAGS = ['--max-semi-space-size=16', '--max-old-space-size=768']
const SESSIONS = 200

let photo: Uint8Array
const server = createServer((_, response) =>
  response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': photo.byteLength }).end(photo),
)

beforeAll(async () => {
  photo = await phonePhoto()
  await once(server.listen(0, '127.0.0.1'), 'listening')
})
afterAll(() => void server.close())

test('200 sessions at once with photos of 4 MB stay below 600 MB, and hold up the event loop by less than 50 ms', async () => {
  expect(photo.byteLength).toBeGreaterThan(3_500_000)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const child = fork(CROWD, [`${SESSIONS}`, `${url}/person.jpg`], { execArgv: MEMORY_FLAGS })
  const died = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the sessions died: ${code}`)))
  const [crowd] = (await Promise.race([once(child, 'message'), died])) as [Crowd]
  expect(crowd).toMatchObject({ images: SESSIONS })
  expect(crowd.peakMb).toBeLessThan(600)
  // Other tests run beside this one: what they take from the processor is not ours.
  expect(crowd.ownLoopP99Ms).toBeLessThan(50)
}, 120_000)
