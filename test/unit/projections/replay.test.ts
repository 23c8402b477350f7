import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../../../src/adapters/memory/store.ts'
import { emptyStoreState } from '../../../src/adapters/memory/store-state.ts'
import { sessionTable } from '../../../src/machines/compile.ts'
import {
  DumpUnreadable,
  dumpEnd,
  dumpHead,
  dumpLine,
  type RecordedFact,
  readDump,
  readDumpHead,
} from '../../../src/projections/fact-dump.ts'
import { replayAll } from '../../../src/projections/replay.ts'
import { archivedFacts, ordinalBefore, rowCheck } from '../../../src/projections/replay-archive.ts'
import { sessions } from '../../../src/projections/sessions.ts'
import { virtualClock } from '../../support/clock.ts'
import {
  completed,
  failed,
  handedBack,
  issued,
  refundRequested,
  released,
  requested,
  START_MS,
  started,
} from '../../support/facts.ts'
import { machineVariant } from '../../support/machine-variant.ts'
import { Chain, factsOf, LOG, newSession } from '../../support/store-world.ts'

const [made, refunded, open, away] = [newSession(), newSession(), newSession(), newSession()]
const facts = [
  ...factsOf(made, [requested({ prompt: 'my secret wish' }), started(), completed()]),
  ...factsOf(refunded, [requested(), started(), failed('moderation_blocked'), refundRequested(), issued()]),
  ...factsOf(open, [requested(), started()]),
  ...factsOf(away, [requested(), released(), handedBack()]),
]

const archive = async () => {
  const clock = virtualClock()
  const state = emptyStoreState()
  const store = openMemoryStore(state, { clock, rowsOwner: 'ours' })
  await store.archive.append(LOG, [new Chain().step(...facts)])
  await store.tables.apply(sessions.name, 0, facts.length, sessions.patches(await store.archive.read(0, 100)))
  return { store, state, clock }
}

const generous = machineVariant(({ processing }) => {
  if (processing !== undefined) processing.on['generation.failed'] = 'completed'
})

async function* lines(texts: readonly string[]): AsyncGenerator<string> {
  yield* texts
}

describe('replaying the archive', () => {
  const options = { whole: true, sample: 1 }

  it('finds nothing where rows and facts agree with the machine', async () => {
    const { store, clock } = await archive()
    const check = rowCheck(store, sessionTable, clock)
    const report = await replayAll(archivedFacts(store.archive, 0, facts.length), {
      ...options,
      table: sessionTable,
      check,
    })
    expect(report).toEqual({ facts: 13, sessions: 4, findings: [], stopped: false })
  })

  it('lists the sessions that a changed machine would leave elsewhere than their rows say', async () => {
    const { store, clock } = await archive()
    const table = machineVariant(({ queued }) => {
      if (queued !== undefined)
        queued.on['generation.started'] = { ...(queued.on['generation.started'] as object), target: 'queued' }
    })
    const check = rowCheck(store, table, clock)
    const report = await replayAll(archivedFacts(store.archive, 0, facts.length), { ...options, table, check })
    expect(report.findings).toMatchObject([
      { sessionId: made, kind: 'refused', fact: 'generation.completed', now: 'queued' },
      { sessionId: open, kind: 'row_differs', was: 'processing', now: 'queued' },
    ])
  })

  it('begins with the sessions of a moment', async () => {
    const { store } = await archive()
    const at = (seconds: number) => new Date(START_MS + seconds * 1_000).toISOString()
    expect(await ordinalBefore(store.archive, at(0), facts.length)).toBe(0)
    expect(await ordinalBefore(store.archive, at(60), facts.length)).toBe(facts.length)
  })

  it('takes a part of the sessions, each of them whole', async () => {
    const { store } = await archive()
    const many = await replayAll(archivedFacts(store.archive, 0, facts.length), {
      ...options,
      sample: 2 ** 31,
      table: sessionTable,
    })
    expect(many.findings).toEqual([])
    expect(many.sessions).toBeLessThan(4)
  })
})

describe('a dump of facts', () => {
  /** As the machine of today writes it. */
  const written = async () => {
    const dump: RecordedFact[] = []
    const { store } = await archive()
    const onFact = (one: RecordedFact) => void dump.push(one)
    await replayAll(archivedFacts(store.archive, 0, facts.length), {
      table: sessionTable,
      whole: true,
      sample: 1,
      onFact,
    })
    return [dumpHead(dump.length), ...dump.map(({ fact, state }) => dumpLine(fact, state)), dumpEnd(dump.length)]
  }
  const replayed = (texts: readonly string[], table = sessionTable) => {
    readDumpHead(texts[0])
    return replayAll(readDump(lines(texts.slice(1))), { table, whole: true, sample: 1 })
  }

  it('is folded to where it was recorded, and holds no personal data', async () => {
    const texts = await written()
    expect(await replayed(texts)).toEqual({ facts: 13, sessions: 4, findings: [], stopped: false })
    expect(texts.join()).not.toContain('secret')
  })

  it('shows to a changed machine the session, the fact, and where it led before', async () => {
    const { findings } = await replayed(await written(), generous)
    expect(findings).toEqual([
      { sessionId: refunded, seq: 3, fact: 'generation.failed', kind: 'differs', was: 'failed.open', now: 'completed' },
    ])
  })

  it('names facts that this version cannot read', async () => {
    const texts = (await written()).map((line) => line.replace('generation.started', 'generation.begun'))
    const { findings } = await replayed(texts)
    expect(findings[0]).toMatchObject({ kind: 'unreadable', id: `${made}/2` })
    expect(findings[1]).toMatchObject({ kind: 'gap', sessionId: made })
  })

  it('is refused when it breaks off, or is none', async () => {
    const texts = await written()
    await expect(replayed(texts.slice(0, -1))).rejects.toThrow(/breaks off after 13 facts/)
    await expect(replayed(texts.toSpliced(4, 1))).rejects.toThrow(DumpUnreadable)
    await expect(replayed(texts.with(2, '{"state":'))).rejects.toThrow(/line 3/)
    expect(() => readDumpHead('{"dump":"another"}')).toThrow(DumpUnreadable)
    expect(() => readDumpHead(undefined)).toThrow(DumpUnreadable)
  })
})
