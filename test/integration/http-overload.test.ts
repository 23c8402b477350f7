import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { fire } from '../../bench/support/http-load.ts'
import { RequestMix } from '../../bench/support/http-mix.ts'
import { memoryLog } from '../../src/adapters/memory/event-log.ts'
import { parseMessage } from '../../src/events/command.ts'
import type { HttpLimits } from '../../src/http/parts.ts'
import type { EventLog } from '../../src/machines/ports/event-log.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { makeKey } from './http-keys-world.ts'
import { openWorld, type World } from './http-world.ts'

/** Everybody at once: what is asked in a second comes over so many connections, and they ask on as soon as they are answered. */
const CROWD = { connections: 200, perSecond: 1_000, seconds: 1 }

let world: World | undefined

afterEach(async () => {
  await world?.close(1_000)
})

/** A log in memory that takes nothing before `held` says so, and the sessions that its messages name. */
const heldLog = (held: () => Promise<void>) => {
  const log = memoryLog({ clock: realClock, newId: () => randomUUID(), partitions: 4 })
  const sessions = new Set<string>()
  const publish: EventLog['publish'] = async (messages) => {
    await held()
    await log.publish(messages)
    for (const { bytes } of messages) {
      const said = parseMessage(bytes, 'http')
      if ('sessionId' in said) sessions.add(said.sessionId)
    }
  }
  return { log: { ...log, publish }, sessions }
}

/** A crowd asks, one in ten to publish; what it was answered, and what was accepted of it and is not in the log. */
const crowd = async (limits: Partial<HttpLimits>, held: (world: World) => Promise<void> = async () => {}) => {
  const { log, sessions } = heldLog(async () => world && held(world))
  world = await openWorld({ limits, log })
  const { key } = await makeKey(world, { scopes: ['publish', 'read'] })
  const mix = new RequestMix(`Bearer ${key}`)
  const { statuses, lost, withoutRetryAfter } = await fire(world.url, mix, CROWD)
  const forgotten = [...mix.accepted].filter((id) => !sessions.has(id))
  return { statuses, lost, withoutRetryAfter, forgotten }
}

/** However slow this machine is: until somebody found no place. */
const somebodyRefused = ({ lines }: World): Promise<void> =>
  eventually(() => {
    if (!lines.some(({ status }) => status === 503)) throw new Error('there was place for all')
  })

describe('more requests than the server takes', () => {
  it('are answered, or told at once to come again, and none accepted is forgotten', async () => {
    const { statuses, ...rest } = await crowd({ requestsMax: 20, keyRequestsPerMinute: 1_000_000 }, somebodyRefused)
    expect(new Set(statuses.keys())).toEqual(new Set([200, 202, 503]))
    expect(rest).toEqual({ lost: 0, withoutRetryAfter: 0, forgotten: [] })
  })

  it('of one key are told when to go on, and none accepted is forgotten', async () => {
    const { statuses, ...rest } = await crowd({ keyRequestsPerMinute: 300 })
    expect(new Set(statuses.keys())).toEqual(new Set([200, 202, 429]))
    expect(rest).toEqual({ lost: 0, withoutRetryAfter: 0, forgotten: [] })
  })
})
