import { randomUUID } from 'node:crypto'
import { openPostgresLog } from '../../src/adapters/postgres/event-log.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import type { SHAPE } from '../contracts/event-log.ts'
import type { ReadersWorld } from '../contracts/journal-readers.ts'
import { freezable, realClock } from './clock.ts'
import { eventually } from './eventually.ts'
import { type FaultySql, faulty } from './faulty-sql.ts'

/** Short, so that a take-over does not keep a test waiting, and long enough for a machine that is busy. */
const LEASE_TTL_MS = 2_500

/** A log in an empty database, opened by as many "processes" as a test wants, each through a connection of its own if it has one. */
export const postgresLogWorld = (
  shape: typeof SHAPE,
  connect: () => Sql,
  onClose: () => Promise<void>,
): ReadersWorld => {
  const connections: FaultySql[] = []
  return {
    open: async (partitions = shape.partitions) => {
      const clock = freezable(realClock)
      const sql = faulty(connect())
      connections.push(sql)
      const log = await openPostgresLog({
        ...shape,
        sql,
        partitions,
        clock,
        newId: randomUUID,
        leaseTtlMs: LEASE_TTL_MS,
      })
      return { log, freeze: () => clock.freeze(), loseAnswerOfCommit: () => sql.loseAnswerOf('log_commit') }
    },
    reader: (name) => ({
      register: async () => {
        await connections[0]?.query(REGISTER, [name])
      },
      report: async (partition, number) => {
        await connections[0]?.query(REPORT, [name, partition, number])
      },
    }),
    eventually,
    close: async () => {
      // What a test left running ends by itself, and reaches no later test's log.
      for (const sql of connections) sql.cut()
      await onClose()
    },
  }
}

const REGISTER = 'insert into wearon.log_readers (name, partition) select $1, partition from wearon.log_partitions'
const REPORT = 'update wearon.log_readers set number = $3 where name = $1 and partition = $2'
