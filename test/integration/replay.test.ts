import { randomUUID } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openEmbedded } from '../../src/adapters/postgres/embedded.ts'
import { openPostgresStore } from '../../src/adapters/postgres/store.ts'
import type { SessionId } from '../../src/events/ids.ts'
import { sessions } from '../../src/projections/sessions.ts'
import { realClock } from '../support/clock.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { completed, failed, issued, refundRequested, requested, started } from '../support/facts.ts'
import { wearon } from '../support/server-process.ts'
import { Chain, factsOf, LOG, newSession } from '../support/store-world.ts'

const END_MAX_MS = 120_000

describe('the gate before a deployment', () => {
  const [made, refunded] = [newSession(), newSession()]
  let folder: string
  let dump: string
  beforeAll(async () => {
    folder = await newDataFolder()
    dump = join(folder, 'facts.ndjson')
    await onStore(async (store) => {
      const facts = [
        ...factsOf(made, [requested(), started(), completed()]),
        ...factsOf(refunded, [requested(), started(), failed('moderation_blocked'), refundRequested(), issued()]),
      ]
      await store.archive.append(LOG, [new Chain().step(...facts)])
      await store.tables.apply(sessions.name, 0, facts.length, sessions.patches(await store.archive.read(0, 100)))
    })
  })
  afterAll(async () => {
    await removeFolder(folder)
  })

  const onStore = async (work: (store: ReturnType<typeof openPostgresStore>) => Promise<void>, sqlText?: string) => {
    const sql = await openEmbedded(folder)
    try {
      await work(openPostgresStore(sql, { clock: realClock, rowsOwner: 'ours' }))
      if (sqlText !== undefined) await sql.script(sqlText)
    } finally {
      await sql.close()
    }
  }
  const replay = (...args: string[]) => wearon(['replay', ...args], { DATA_DIR: folder })
  const setState = (id: SessionId, state: string) =>
    onStore(async () => {}, `update public.store_generation_sessions set state = '${state}' where id = '${id}'`)

  it(
    'lets a version pass that leaves every session where it is, and records where',
    async () => {
      const { code, stdout, stderr } = await replay('--record', dump)
      expect({ code, stdout, stderr }).toEqual({
        code: 0,
        stdout: '2 sessions folded from 8 facts: none would change\n',
        stderr: '',
      })
      expect((await stat(dump)).mode & 0o777).toBe(0o600)
      const again = await wearon(['replay', '--against', dump, '--json'], { DATA_DIR: join(folder, randomUUID()) })
      expect(JSON.parse(again.stdout)).toEqual({ facts: 8, sessions: 2, findings: [], stopped: false })
      expect(again.code).toBe(0)
    },
    END_MAX_MS,
  )

  it(
    'names the sessions that another version left elsewhere, and fails',
    async () => {
      // As a version whose machine gave up otherwise would have written it.
      const other = (await readFile(dump, 'utf8')).replace('"state":"failed.open"', '"state":"failed.given_up"')
      await writeFile(dump, other)
      const { code, stdout } = await replay('--against', dump)
      expect(code).toBe(1)
      expect(stdout).toContain(
        `${refunded}  fact 3 (generation.failed) led to failed.given_up, and would lead to failed.open`,
      )
      expect(stdout).not.toContain(made)
    },
    END_MAX_MS,
  )

  it(
    'holds rows that an earlier version wrote against the facts',
    async () => {
      await setState(made, 'failed')
      const { code, stdout } = await replay('--json')
      expect(code).toBe(1)
      expect(JSON.parse(stdout)).toMatchObject({
        findings: [{ kind: 'row_differs', sessionId: made, was: 'failed', now: 'completed' }],
      })
      await setState(made, 'completed')
      expect((await replay('--since', '2030-01-01')).stdout).toContain('0 sessions folded from 0 facts')
    },
    END_MAX_MS,
  )

  it(
    'says in a line what it cannot read',
    async () => {
      await writeFile(dump, (await readFile(dump, 'utf8')).split('\n').slice(0, 4).join('\n'))
      expect(await replay('--against', dump)).toMatchObject({
        code: 1,
        stderr: `wearon: ${dump}: the dump breaks off after 3 facts: it was not written to its end\n`,
      })
      const missing = await replay('--against', join(folder, 'none'))
      expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('cannot be read (ENOENT)')])
      const elsewhere = await wearon(['replay'], { DATA_DIR: join(folder, randomUUID()) })
      expect([elsewhere.code, elsewhere.stderr]).toEqual([2, expect.stringContaining('holds no database')])
    },
    END_MAX_MS,
  )
})
