import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { fire } from '../../bench/support/http-load.ts'
import { RequestMix } from '../../bench/support/http-mix.ts'
import { memoryLog } from '../../src/adapters/memory/event-log.ts'
import { openMemoryStore } from '../../src/adapters/memory/store.ts'
import { emptyStoreState } from '../../src/adapters/memory/store-state.ts'
import { parseMessage } from '../../src/events/command.ts'
import type { HttpLimits } from '../../src/http/parts.ts'
import type { EventLog } from '../../src/machines/ports/event-log.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { makeKey } from './http-keys-world.ts'
import { json, newSession, openWorld, type World } from './http-world.ts'

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

/** A client, and a database that answers no look at a session before it goes on. */
const openHanging = async (limits: Partial<HttpLimits>) => {
  const goesOn = Promise.withResolvers<null>()
  const { queries } = openMemoryStore(emptyStoreState(), { clock: realClock, rowsOwner: 'ours' })
  world = await openWorld({ limits, queries: { ...queries, session: () => goesOn.promise } })
  const ask = async (signal?: AbortSignal) => {
    const answer = await fetch(`${world?.url}/v1/generations/${newSession()}`, { ...(signal && { signal }) })
    return [answer.status, (await json(answer))['code'], answer.headers.get('retry-after')]
  }
  return { ask, get: world.get, metrics: world.metrics, goOn: () => goesOn.resolve(null) }
}

describe('a database that hangs', () => {
  it('holds nobody: who is in is told to come again in time, who comes next at once, until it goes on', async () => {
    const { ask, get, goOn, metrics } = await openHanging({ requestsMax: 2, answerMs: 100 })
    const tooSlow = [503, 'too_slow', '5']
    expect(await Promise.all([ask(), ask()])).toEqual([tooSlow, tooSlow])
    expect(await ask()).toEqual([503, 'overloaded', '1'])
    expect((await get('/health')).status).toBe(200)
    expect(await metrics()).toMatch(/wearon_http_problems_total\{code="overloaded"\} 1\n/)
    goOn()
    expect(await ask()).toEqual([404, 'session_unknown', null])
  })

  it('is asked no more by clients that leave and come again than by those that wait', async () => {
    const { ask, goOn, metrics } = await openHanging({ requestsMax: 2 })
    const leaving = new AbortController()
    const left = Promise.allSettled([ask(leaving.signal), ask(leaving.signal)])
    await eventually(async () => expect(await metrics()).toMatch(/wearon_http_requests_in_flight 2\n/))
    leaving.abort()
    await left
    await eventually(async () => expect(await metrics()).toMatch(/http_requests_total\{.*status="499"\} 2\n/))
    expect(await ask()).toEqual([503, 'overloaded', '1'])
    goOn()
    await eventually(async () => expect(await ask()).toEqual([404, 'session_unknown', null]))
  })
})
