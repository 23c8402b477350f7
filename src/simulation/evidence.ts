import { transactionsOf } from '../adapters/memory/ledger.ts'
import type { SessionId } from '../events/ids.ts'
import type { Evidence } from '../projections/evidence.ts'
import { hasEnded } from './players.ts'
import { requestOf, type Stage } from './stage.ts'

/** Everything accepted has come to its end, and everybody has read it. */
export const isAtRest = (stage: Stage): boolean => {
  if (!stage.world.calm || stage.pushesLeft > 0) return false
  const { facts, sessions, projections } = stage.world.store
  for (const name of ['sessions', 'refunds']) if ((projections.get(name)?.position ?? 0) < facts.length) return false
  for (const id of stage.accepted) if (!hasEnded(sessions.get(id))) return false
  return stage.world.log.data.partitions.every(
    ({ snapshots, inbox }) =>
      inbox.length === 0 && [...snapshots.values()].every(({ state }) => state === 'handed_back'),
  )
}

/** What a run left behind, for the judge. */
export const evidenceOf = (stage: Stage): Evidence => {
  const { sessions, rows, ledger } = stage.world.store
  const failedPushes = structuredClone(stage.failedPushes)
  const given = [...ledger.transactions.values()].flat().filter(({ type }) => type === 'refund')
  const refunds = given.flatMap(({ owner, description, requestId, amount }) => {
    const failedPush = description === 'Queue error - refund' && requestId === null
    const sessionId = failedPush ? failedPushes.get(owner)?.shift() : sessionOf(stage, description, requestId)
    const by = description.includes('refund:') ? ('us' as const) : ('platform' as const)
    return sessionId === undefined ? [] : [{ sessionId, credits: amount, by }]
  })
  return {
    accepted: stage.accepted,
    facts: sessions,
    readings: stage.readings,
    refunds,
    rows: new Map([...rows].map(([id, row]) => [id, { state: row.state ?? null, seq: row.seq }])),
    tries: stage.world.tries,
    commits: stage.world.commits,
    ...(stage.world.hasWayBack && { wayBack: stage.world.list.evidence(stage.pauses) }),
    balances: [...ledger.users, ...ledger.stores].map(([account, { balance }]) => {
      const sum = transactionsOf(ledger, account).reduce((total, { amount }) => total + amount, 0)
      return { account, balance, sum }
    }),
  }
}

const sessionOf = (stage: Stage, description: string, requestId: string | null): SessionId | undefined => {
  for (const session of stage.planned.values()) {
    if (description.includes(session.id) || (requestId !== null && requestId === requestOf(session))) return session.id
  }
  return undefined
}

/** How the accepted sessions ended. */
export const endsOf = (stage: Stage): Record<string, number> => {
  const ends: Record<string, number> = {}
  for (const id of stage.accepted) {
    const facts = stage.world.store.sessions.get(id) ?? []
    const end = facts.at(-1)?.type ?? 'nothing'
    ends[end] = (ends[end] ?? 0) + 1
  }
  return ends
}
