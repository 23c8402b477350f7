import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openMemoryStore } from '../../src/adapters/memory/store.ts'
import { emptyStoreState } from '../../src/adapters/memory/store-state.ts'
import type { EmbeddedSql } from '../../src/adapters/postgres/embedded.ts'
import { postgresProducer } from '../../src/adapters/postgres/producer.ts'
import { openPostgresStore } from '../../src/adapters/postgres/store.ts'
import type { Producer } from '../../src/projections/producer.ts'
import type { Store } from '../../src/projections/store.ts'
import { realClock } from '../support/clock.ts'
import { newEmbedded } from '../support/data-folder.ts'
import { forgetful, plantForgetfulRefund } from '../support/forgetful-refunds.ts'
import { LOG, newUser, order } from '../support/store-world.ts'

/** Refunds one session twice, as a crash between payment and fact does. Answers how many payments the ledger holds for it. */
const refundTwice = async (store: Store, producer: Producer): Promise<number> => {
  await store.history.admit({ log: LOG, partition: 0, epoch: { number: 1, token: 'token' }, head: 0 })
  const placed = order(newUser())
  await producer.order(placed)
  const records: string[] = []
  for (let call = 0; call < 2; call++) {
    const outcome = await store.platform.refund(placed.sessionId, { partition: 0, epoch: 1 })
    if (outcome.kind === 'issued') records.push(outcome.data.ledgerRecord)
  }
  return new Set(records).size
}

describe('a refund without its idempotency record pays twice, and the laws would see it', () => {
  let sql: EmbeddedSql
  beforeAll(async () => {
    sql = await newEmbedded()
  })
  afterAll(() => sql.close())

  it('in memory', async () => {
    const options = { clock: realClock, rowsOwner: 'platform' } as const
    const sound = openMemoryStore(emptyStoreState(), options)
    expect(await refundTwice(sound, sound.producer)).toBe(1)
    const faulty = openMemoryStore(emptyStoreState(), { ...options, memory: forgetful })
    expect(await refundTwice(faulty, faulty.producer)).toBe(2)
  })

  it('in the database', async () => {
    const store = openPostgresStore(sql, { clock: realClock, rowsOwner: 'platform' })
    const producer = postgresProducer(sql)
    expect(await refundTwice(store, producer)).toBe(1)
    await plantForgetfulRefund(sql)
    expect(await refundTwice(store, producer)).toBe(2)
    await store.close()
  })
})
