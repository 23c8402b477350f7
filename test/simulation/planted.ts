import type { MemoryLogState } from '../../src/adapters/memory/event-log.ts'
import { commitChecks } from '../../src/adapters/memory/event-log.ts'
import { type SessionTable, type StateName, sessionTable } from '../../src/machines/compile.ts'
import type { PartitionLease } from '../../src/machines/ports/event-log.ts'
import type { Plants } from '../../src/simulation/world.ts'
import { forgetful } from '../support/forgetful-refunds.ts'

/** Faults planted into the system's own parts. Each must break a promise that the invariants see. */
export const planted: Readonly<Record<string, Plants>> = {
  'acting before committing': { lease: (lease) => ({ ...lease, commit: commitLater(lease) }) },
  'issuing a refund without its idempotency record': { refundMemory: () => forgetful },
  'forgetting tombstones': { lease: (lease, log) => ({ ...lease, commit: commitAndForget(lease, log) }) },
  'dropping the epoch check': { checks: { ...commitChecks, epoch: () => true } },
  'dropping the predecessor check': { checks: { ...commitChecks, predecessor: () => true } },
  'counting a duplicate': { table: withBranch('queued', 'generation.requested', 'queued') },
  'forgetting pauses': { pauses: (pauses) => ({ ...pauses, list: async () => [] }) },
  'handing a task back without its mark': {
    list: (list) => ({ giveBack: async (key, task) => list.push(key, task) }),
  },
  'noting a task that was not handed back': { list: () => ({ giveBack: async () => {} }) },
  'counting a late outcome of an earlier attempt': { table: withoutGuards('processing') },
}

const commitLater =
  (lease: PartitionLease): PartitionLease['commit'] =>
  async (commit) => {
    lease.commit(commit).catch(() => {})
  }

const commitAndForget =
  (lease: PartitionLease, log: MemoryLogState): PartitionLease['commit'] =>
  async (commit) => {
    await lease.commit(commit)
    log.data.partitions[lease.partition]?.tombstones.clear()
  }

function withBranch(from: StateName, event: 'generation.requested', target: StateName): SessionTable {
  const state = sessionTable.states.get(from)
  if (state === undefined) throw new Error(`there is no state ${from}`)
  const on = new Map(state.on).set(event, [{ guard: null, target, assigns: [] }])
  return { ...sessionTable, states: new Map(sessionTable.states).set(from, { ...state, on }) }
}

function withoutGuards(from: StateName): SessionTable {
  const state = sessionTable.states.get(from)
  if (state === undefined) throw new Error(`there is no state ${from}`)
  const on = new Map([...state.on].map(([type, branches]) => [type, branches.map((one) => ({ ...one, guard: null }))]))
  return { ...sessionTable, states: new Map(sessionTable.states).set(from, { ...state, on }) }
}
