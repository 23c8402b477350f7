import { describe, expect, it } from 'vitest'
import type { NewFact } from '../../../src/events/fact.ts'
import { PromiseWatch } from '../../../src/projections/promise-watch.ts'
import { refunds } from '../../../src/projections/refunds.ts'
import { completed, failed, issued, refundRequested, requested, started } from '../../support/facts.ts'
import { journalsAndStore, recordedEnvironment } from '../../support/project-memory.ts'
import { Chain, factsOf, LOG, newSession } from '../../support/store-world.ts'

const watching = () => {
  const { clock, environment, errors } = recordedEnvironment()
  const { store } = journalsAndStore(clock)
  const counts = new Map<string, number>()
  const count = (name: string, labels: Readonly<Record<string, string>> = {}, by = 1) => {
    const key = [name, ...Object.values(labels)].join(' ')
    counts.set(key, (counts.get(key) ?? 0) + by)
  }
  const chain = new Chain()
  const happen = async (facts: readonly NewFact[]) => {
    await store.archive.append(LOG, [chain.step(...factsOf(newSession(), facts))])
    const from = await store.tables.position('refunds')
    const news = await store.archive.read(from, 100)
    await store.tables.apply('refunds', from, news.at(-1)?.ordinal ?? from, refunds.patches(news))
  }
  const watch = new PromiseWatch(store, { ...environment, meter: { ...environment.meter, count } })
  return { counts, errors, happen, watch }
}

describe('the watch over the promises', () => {
  it('counts a session that says refunded while the ledger knows no refund, once, and says which', async () => {
    const { counts, errors, happen, watch } = watching()
    await happen([requested(), started(), failed('internal'), refundRequested(), issued()])
    await watch.look()
    await watch.look()
    expect(counts).toEqual(
      new Map([
        ['promises_judged_sessions_total', 1],
        ['promise_violations_total the books balance', 1],
      ]),
    )
    expect(errors).toMatchObject([
      { promise: 'the books balance', what: 'it says refunded, and the ledger knows no refund' },
    ])
  })

  it('finds nothing in sessions that end as they should, and judges a sample when there are many', async () => {
    const { counts, errors, happen, watch } = watching()
    for (let nth = 0; nth < 60; nth++) await happen([requested(), started(), completed()])
    await watch.look()
    expect([errors, counts.get('promises_judged_sessions_total')]).toEqual([[], 50])
  })
})
