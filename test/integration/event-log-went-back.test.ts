import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EmbeddedSql } from '../../src/adapters/postgres/embedded.ts'
import { openPostgresLog } from '../../src/adapters/postgres/event-log.ts'
import { Fenced } from '../../src/machines/ports/event-log.ts'
import { realClock } from '../support/clock.ts'
import { newEmbedded } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { commitOf, message, nextStep } from '../support/log-samples.ts'
import { type LogWorker, startWorker } from '../support/log-worker.ts'

/** A log that is put back to an earlier moment under its owner, as a failover or a restored backup does it. */
describe('a log that went back', () => {
  let sql: EmbeddedSql
  let worker: LogWorker
  let publish: (text: string) => Promise<void>

  beforeEach(async () => {
    sql = await newEmbedded()
    const log = await openPostgresLog({ sql, partitions: 1, clock: realClock, newId: randomUUID, leaseTtlMs: 800 })
    publish = (text) => log.publish([message(0, text)])
    worker = startWorker(log)
    await eventually(() => worker.lease(0))
  })
  afterEach(async () => {
    await worker.stop()
    await sql.close()
  })

  const owner = () => worker.lease(0)

  it('ends the lease of an owner that asks for nothing', async () => {
    const owned = owner()
    await owned.commit(commitOf({ step: nextStep(owned, null) }))
    await sql.script(`update wearon.log_partitions set head_number = 0, head_id = null`)
    await eventually(() => expect(owned.lost.aborted).toBe(true))
  })

  it('refuses a commit that would move the position over messages that are there again', async () => {
    const owned = owner()
    for (const text of ['a', 'b']) await publish(text)
    const [, b] = await owned.take({ messages: 2, bytes: 1_000 })
    await owned.commit(commitOf({ inbox: b?.position ?? null }))
    await sql.script(`update wearon.log_partitions set consumed = 1`)
    await publish('c')
    await expect(owned.commit(commitOf({ inbox: '3' }))).rejects.toThrow(Fenced)
  })

  it('refuses a commit of messages that are not there any more', async () => {
    const owned = owner()
    for (const text of ['a', 'b']) await publish(text)
    const [, b] = await owned.take({ messages: 2, bytes: 1_000 })
    await sql.script(`delete from wearon.log_inbox where number = 2; update wearon.log_inboxes set published = 1`)
    await expect(owned.commit(commitOf({ inbox: b?.position ?? null }))).rejects.toThrow(Fenced)
  })

  it('gives its next owner a later epoch than any before', async () => {
    const { epoch } = owner()
    await sql.script(`update wearon.log_partitions set epoch = 1, owner = null, token = null`)
    await eventually(() => expect(owner().epoch.token).not.toBe(epoch.token))
    expect(owner().epoch.number).toBeGreaterThan(epoch.number)
  })
})
