import { beforeEach, describe, expect, it } from 'vitest'
import { type Parsed, parseMessage } from '../../../src/events/command.ts'
import type { Fact } from '../../../src/events/fact.ts'
import { sessionTable } from '../../../src/machines/compile.ts'
import { decide } from '../../../src/machines/decide.ts'
import { defaultPolicy } from '../../../src/machines/policy.ts'
import type { Wanted } from '../../../src/machines/ports/platform.ts'
import { unborn } from '../../../src/machines/snapshot.ts'
import { HandBack, releaseOf } from '../../../src/projections/hand-back.ts'
import {
  factAt,
  handedBack,
  history,
  released,
  requested,
  START_MS,
  sessionId,
  started,
  store,
} from '../../support/facts.ts'
import { recordedEnvironment } from '../../support/project-memory.ts'

const wire = {
  task_id: 'task-1',
  channel: 'b2b',
  store_id: store.storeId,
  session_id: sessionId,
  image_urls: ['https://images.example/person.jpg?token=1'],
  prompt: 'Zürich 🧥',
  request_id: 'req_1',
  version: 1,
  created_at: '2026-01-15T10:00:00Z',
}

/** The facts of a session that came as these words and was released. */
const takenAndReleased = (words: string): Fact[] => {
  const command = parseMessage(Buffer.from(words), 'list')
  if (command.command !== 'generation.request') throw new Error('no task')
  const circumstances = { nowMs: START_MS, policy: defaultPolicy, random: 0.5 }
  const decision = decide(unborn(sessionTable, sessionId), { kind: 'command', command }, circumstances)
  const facts = [...('facts' in decision ? decision.facts : []), released()]
  return facts.map((fact, index) => ({ ...factAt(index + 1, fact), requestId: command.task.requestId }))
}

describe('a release', () => {
  it.each([
    ['as the platform writes it', JSON.stringify(wire)],
    ['with spaces', JSON.stringify(wire, null, 2)],
    ['in another order', JSON.stringify(Object.fromEntries(Object.entries(wire).toReversed()))],
    ['with a field that nobody knows', JSON.stringify({ ...wire, priority: 7 })],
    ['in capitals', JSON.stringify({ ...wire, session_id: sessionId.toUpperCase() })],
    ['with little in it', JSON.stringify({ ...wire, prompt: undefined, version: undefined, created_at: undefined })],
  ])('holds the bytes that the producer pushed: %s', (_, words) => {
    const release = releaseOf(takenAndReleased(words))
    expect(release).toMatchObject({ sessionId, seq: 2 })
    expect(Buffer.from(release?.task ?? []).toString()).toBe(words)
  })

  it('keeps no second copy of a task that is written as the platform does it', () => {
    expect(takenAndReleased(JSON.stringify(wire))[0]?.data).not.toHaveProperty('original')
    expect(takenAndReleased(JSON.stringify(wire, null, 1))[0]?.data).toHaveProperty('original')
  })

  it('is only what the facts end with', () => {
    expect(releaseOf(history(requested()))).toBeNull()
    expect(releaseOf(history(requested(), released(), handedBack()))).toBeNull()
    expect(releaseOf(history(requested(), released(), requested({ source: 'list' }), started()))).toBeNull()
    const again = history(
      requested({ prompt: 'old' }),
      released(),
      handedBack(),
      requested({ prompt: 'new' }),
      released(),
    )
    expect(Buffer.from(releaseOf(again)?.task ?? []).toString()).toContain('"prompt":"new"')
    expect(releaseOf(again)?.seq).toBe(5)
  })
})

describe('handing back', () => {
  let owed: Fact[][]
  let given: string[]
  let published: Parsed[]
  let wanted: Wanted
  let failing: 'list' | 'log' | null
  let nowMs: number
  let handBack: HandBack

  beforeEach(() => {
    owed = [takenAndReleased(JSON.stringify(wire))]
    given = []
    published = []
    wanted = { wanted: true }
    failing = null
    nowMs = START_MS
    const { environment } = recordedEnvironment()
    const env = { ...environment, clock: { ...environment.clock, now: () => nowMs } }
    handBack = new HandBack({
      handbacks: { released: async (limit) => owed.slice(0, limit) },
      platform: { look: async () => wanted },
      list: {
        giveBack: async (key) => {
          if (failing === 'list') throw new Error('the list does not answer')
          given.push(key)
        },
      },
      log: {
        partitions: 4,
        publish: async (messages) => {
          if (failing === 'log') throw new Error('the log does not answer')
          for (const { bytes, source } of messages) published.push(parseMessage(bytes, source))
        },
      },
      env,
    })
  })

  it('puts the task into the list, then notes it', async () => {
    expect(await handBack.look()).toBe(1)
    expect(given).toEqual([`${sessionId}/2`])
    expect(published).toEqual([{ command: 'generation.note_hand_back', sessionId, release: 2, withdrawn: null }])
  })

  it('notes nothing that does not lie in the list, and gives the same again under the same key', async () => {
    failing = 'list'
    await expect(handBack.look()).rejects.toThrow('list')
    expect(published).toEqual([])
    failing = 'log'
    await expect(handBack.look()).rejects.toThrow('log')
    failing = null
    await handBack.look()
    expect(new Set(given)).toEqual(new Set([`${sessionId}/2`]))
    expect(published).toHaveLength(1)
  })

  it('leaves what it noted alone for a while, then notes it again', async () => {
    await handBack.look()
    expect(await handBack.look()).toBe(0)
    nowMs += 31_000
    expect(await handBack.look()).toBe(1)
  })

  it('gives back nothing that the platform does not want any more', async () => {
    wanted = { wanted: false, why: 'given_back', detail: 'as told' }
    await handBack.look()
    expect(given).toEqual([])
    expect(published).toMatchObject([{ release: 2, withdrawn: { why: 'given_back', detail: 'as told' } }])
  })
})
