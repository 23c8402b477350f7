import { closedBy, unsignedFact } from '../../events/erasure.ts'
import type { Step, StepRef } from '../../machines/ports/event-log.ts'
import type { Admission, History } from '../../machines/ports/history.ts'
import { type Archive, type ArchiveHead, ArchiveRefused } from '../../projections/store.ts'
import { rewriteFacts } from './erasure.ts'
import { type StoreState, valueOf } from './store-state.ts'

export const memoryArchive = (state: StoreState): Archive => ({
  heads: async () => new Map(state.heads),
  append: async (log, steps) => {
    if (!follow(state, log, steps)) return 'moved'
    const facts = steps.flatMap((step) => step.facts)
    const ids = new Set(facts.map(({ id }) => id))
    const known = ids.size < facts.length ? facts[0] : facts.find((fact) => isKnown(state, fact))
    if (known !== undefined) throw new ArchiveRefused(`the fact ${known.id} is in the archive already`)
    addSteps(state, steps)
    for (const { partition, number, id } of steps) state.heads.set(partition, { log, number, id })
    notify(state)
    return state.facts.length
  },
  read: async (after, limit) =>
    state.facts.slice(after, after + limit).map(({ fact }, index) => ({ ordinal: after + index + 1, fact })),
  head: async () => state.facts.length,
  session: async (id) => [...(state.sessions.get(id) ?? [])],
  onGrowth: (listener) => {
    const listeners = growth.get(state) ?? new Set()
    growth.set(state, listeners)
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
})

export const memoryHistory = (state: StoreState): History => ({
  admit: async ({ log, partition, epoch, head: granted }): Promise<Admission> => {
    const head = state.heads.get(partition)
    const archived = head ? refOf(head) : null
    const fence = state.fences.get(partition)
    const known = fence?.log ?? head?.log ?? log
    if (known !== log || (head?.log ?? log) !== log) return { admitted: false, reason: 'log_replaced', archived }
    const sameGrant = fence?.epoch.token === epoch.token
    if (fence !== undefined && !sameGrant && epoch.number <= fence.epoch.number) {
      return { admitted: false, reason: 'epoch_went_back', archived }
    }
    state.fences.set(partition, { log, epoch })
    noteGrant(state, partition, granted, epoch.number)
    return { admitted: true, archived }
  },
  knows: async (ids) => new Set(ids.filter((id) => state.sessions.has(id))),
  head: async (partition) => {
    const head = state.heads.get(partition)
    return head ? refOf(head) : null
  },
  step: async (partition, number) => {
    const id = state.steps.get(partition)?.get(number)
    return id === undefined ? null : { number, id }
  },
  sessionsAfter: async (partition, number, { after, limit }) => {
    const behind = state.facts.filter((of) => of.partition === partition && of.step > number)
    const ids = new Set(behind.map(({ fact }) => fact.sessionId).filter((id) => after === null || id > after))
    const page = [...ids].toSorted().slice(0, limit)
    return new Map(page.map((id) => [id, [...(state.sessions.get(id) ?? [])]]))
  },
  mend: async ({ log, partition, epoch }, { archived, steps, head }) => {
    const known = state.heads.get(partition)
    if (known?.log === log && known.id === head.id) return 'mended'
    if (known?.id !== archived?.id) return 'moved'
    state.grants.delete(partition)
    forgetStepsFrom(state, partition, Math.min(head.number, ...steps.map(({ number }) => number)), head.number)
    addSteps(
      state,
      steps.map((step) => ({ ...step, facts: step.facts.filter((fact) => !isKnown(state, fact)) })),
    )
    valueOf(state.steps, partition, () => new Map()).set(head.number, head.id)
    state.heads.set(partition, { log, ...refOf(head) })
    state.fences.set(partition, { log, epoch })
    notify(state)
    return 'mended'
  },
})

/** Who wants to know of growth, by state: the notifications of a database, and no part of what it keeps. */
const growth = new WeakMap<StoreState, Set<() => void>>()

const notify = (state: StoreState): void => {
  for (const listener of growth.get(state) ?? []) listener()
}

const refOf = ({ number, id }: StepRef): StepRef => ({ number, id })

const isKnown = (state: StoreState, { sessionId, seq }: Step['facts'][number]): boolean =>
  state.sessions.get(sessionId)?.some((fact) => fact.seq === seq) ?? false

/** True when each step continues the chain of its partition. */
const follow = (state: StoreState, log: string, steps: readonly Step[]): boolean => {
  const heads = new Map<number, StepRef & Partial<ArchiveHead>>(state.heads)
  return steps.every((step) => {
    const head = heads.get(step.partition)
    heads.set(step.partition, step)
    if (head?.log !== undefined && head.log !== log) return false
    if ((state.grants.get(step.partition)?.get(step.number - 1) ?? 0) > step.epoch) return false
    return step.number === (head?.number ?? 0) + 1 && step.previous === (head?.id ?? null)
  })
}

const noteGrant = (state: StoreState, partition: number, head: number, epoch: number): void => {
  const grants = valueOf(state.grants, partition, () => new Map<number, number>())
  const archived = state.heads.get(partition)?.number ?? 0
  for (const known of grants.keys()) if (known < archived) grants.delete(known)
  grants.set(head, Math.max(epoch, grants.get(head) ?? 0))
}

const addSteps = (state: StoreState, steps: readonly Step[]): void => {
  for (const { partition, number, id, facts } of steps) {
    valueOf(state.steps, partition, () => new Map<number, string>()).set(number, id)
    for (const fact of facts) {
      state.facts.push({ fact, partition, step: number })
      const session = valueOf(state.sessions, fact.sessionId, () => [])
      session.push(fact)
      session.sort((a, b) => a.seq - b.seq)
    }
  }
  for (const id of closedBy(steps.flatMap(({ facts }) => facts))) rewriteFacts(state, id, unsignedFact)
}

/** What the archive had beyond the common part was restored by the new head, and goes down with it if it does. */
const forgetStepsFrom = (state: StoreState, partition: number, first: number, head: number): void => {
  const steps = valueOf(state.steps, partition, () => new Map<number, string>())
  for (const number of steps.keys()) if (number >= first) steps.delete(number)
  for (const place of state.facts) if (place.partition === partition && place.step >= first) place.step = head
}
