import type { Grant } from '../shared/kept-lease.ts'
import type { LeaseRef, LeaseTable } from '../shared/lease-table.ts'
import { type MemoryLogState, type MemoryPartition, type MemoryProcess, partitionIn, tell } from './log-state.ts'

/** The leases of a memory log, as one process reaches them. */
export const memoryLeaseTable = (process: MemoryProcess): LeaseTable<null> => {
  const table = tableIn(process)
  const { call } = process
  return {
    ...table,
    beat: (...of) => call(() => table.beat(...of)),
    acquire: (...of) => call(() => table.acquire(...of)),
    release: (...of) => call(() => table.release(...of)),
    leave: (...of) => call(() => table.leave(...of)),
  }
}

const tableIn = ({ state, clock, newId }: MemoryProcess): LeaseTable<null> => ({
  partitions: state.data.partitions.length,
  beat: async (member, held, ttlMs, joins) => {
    meet(state, clock.now(), member, { expiresAt: clock.now() + ttlMs, joins })
    const extended = new Set(
      held.filter((lease) => extend(state, member, lease, clock.now() + ttlMs)).map((lease) => lease.partition),
    )
    for (const partition of state.data.partitions.filter(
      (one, index) => one.owner === member && !extended.has(index),
    )) {
      partition.owner = null
    }
    const members = [...state.data.members].flatMap(([id, { joins: shares }]) => (shares ? [id] : []))
    const free = state.data.partitions.flatMap((partition, index) => (isFree(partition, clock.now()) ? [index] : []))
    return { extended, members, free }
  },
  acquire: async (member, partitions, ttlMs) =>
    partitions
      .filter((partition) => isFree(partitionIn(state, partition), clock.now()))
      .map((partition) => grant(state, partition, { owner: member, expiresAt: clock.now() + ttlMs, token: newId() })),
  release: async (member, held) => {
    for (const lease of held) if (holds(state, member, lease)) partitionIn(state, lease.partition).owner = null
    tell(state.leaseChanges)
  },
  leave: async (member) => {
    state.data.members.delete(member)
    for (const partition of state.data.partitions) if (partition.owner === member) partition.owner = null
    tell(state.leaseChanges)
  },
  onChange: (listener) => {
    state.leaseChanges.add(listener)
    return () => state.leaseChanges.delete(listener)
  },
})

/** Notes that a member lives, and forgets those that are silent. */
const meet = (
  state: MemoryLogState,
  now: number,
  member: string,
  beat: { expiresAt: number; joins: boolean },
): void => {
  const { members } = state.data
  for (const [id, { expiresAt }] of members) if (expiresAt <= now) members.delete(id)
  if (members.get(member)?.joins !== beat.joins) tell(state.leaseChanges)
  members.set(member, beat)
}

const holds = (state: MemoryLogState, member: string, { partition, epoch }: LeaseRef): boolean => {
  const kept = partitionIn(state, partition)
  return kept.owner === member && kept.epoch === epoch.number && kept.token === epoch.token
}

const extend = (state: MemoryLogState, member: string, lease: LeaseRef, expiresAt: number): boolean => {
  if (!holds(state, member, lease)) return false
  const kept = partitionIn(state, lease.partition)
  const { step, inbox } = lease.acknowledged
  if ((kept.head?.number ?? 0) < step || kept.consumed < Number(inbox ?? 0)) return false
  kept.expiresAt = expiresAt
  return true
}

const isFree = ({ owner, expiresAt }: MemoryPartition, now: number): boolean => owner === null || expiresAt <= now

const grant = (
  state: MemoryLogState,
  partition: number,
  terms: { readonly owner: string; readonly expiresAt: number; readonly token: string },
): Grant<null> => {
  const kept = partitionIn(state, partition)
  Object.assign(kept, terms)
  // Time in it keeps the epoch growing also where the log lost its tail, and the count with it.
  kept.epoch = Math.max(kept.epoch + 1, terms.expiresAt)
  return { partition, epoch: { number: kept.epoch, token: kept.token }, start: null }
}
