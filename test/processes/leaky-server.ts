// Run as a process of its own: the server as it always is, whose parts fail with errors full of secrets, each for the session
// that the variable of its name holds; and whose storage answers late for the session LATE, whether anyone still wants it or not.
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '../../src/app/serve.ts'
import type { SessionId } from '../../src/events/ids.ts'
import type { Objects } from '../../src/machines/ports/objects.ts'
import { PRIVATE } from '../support/openai-answers.ts'

const LATE_MS = 300

const leak = (part: string, about: string): void => {
  const victim = process.env[part]
  if (victim === undefined || !about.includes(victim)) return
  throw Object.assign(new Error(PRIVATE, { cause: new Error(PRIVATE) }), { code: PRIVATE, name: PRIVATE })
}

const leakyObjects = (objects: Objects): Objects => ({
  ...objects,
  put: async (path, bytes, metadata) => {
    leak('LEAK_PUT', path)
    const late = process.env['LATE']
    const isLate = late !== undefined && path.includes(late)
    if (isLate) {
      process.stdout.write(`uploading ${late}\n`)
      await sleep(LATE_MS)
    }
    const stored = await objects.put(path, bytes, metadata)
    if (isLate) process.stdout.write(`uploaded ${late}\n`)
    return stored
  },
})

await serve({
  replace: (opened) => {
    const { generator, objects, store } = opened
    return {
      ...opened,
      objects: leakyObjects(objects),
      generator: {
        ...generator,
        generate: async (request, signal) => {
          leak('LEAK_GENERATE', request.sessionId)
          return generator.generate(request, signal)
        },
      },
      store: {
        ...store,
        platform: {
          look: async (session: SessionId) => {
            leak('LEAK_LOOK', session)
            return store.platform.look(session)
          },
          settle: (...args) => store.platform.settle(...args),
          refund: async (session, fence) => {
            leak('LEAK_REFUND', session)
            return store.platform.refund(session, fence)
          },
        },
      },
    }
  },
})
