import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Crowd } from '../processes/picture-sessions.ts'

const PROGRAM = join(import.meta.dirname, '../processes/picture-sessions.ts')
/** As the program itself is started. */
const MEMORY_FLAGS = [
  '--max-semi-space-size=16',
  '--max-old-space-size=768',
  '--external-memory-accounted-in-global-limit',
]

/** Works so many sessions at once in a process of its own, each with this photo, which a server here hands out. */
export const pictureCrowd = async (sessions: number, photo: Uint8Array): Promise<Crowd> => {
  const headers = { 'content-type': 'image/jpeg', 'content-length': photo.byteLength }
  const server = createServer((_, response) => response.writeHead(200, headers).end(photo))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/person.jpg`
    const child = fork(PROGRAM, [`${sessions}`, url], { execArgv: MEMORY_FLAGS })
    const died = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the sessions died: ${code}`)))
    const [crowd] = (await Promise.race([once(child, 'message'), died])) as [Crowd]
    // Its end after the message is no failure.
    died.catch(() => undefined)
    return crowd
  } finally {
    server.close()
  }
}
