import type { SessionId } from '../src/events/ids.ts'
import type { Commit, EventLog, PartitionLease } from '../src/machines/ports/event-log.ts'
import type { Told, TryAsked } from './messages.ts'

/** The tries whose start is durable, until their session moves on. */
export type StartedTries = Map<SessionId, Omit<TryAsked, 'session'>>

interface Watch {
  readonly life: string
  readonly say: (told: Told) => void
  readonly started: StartedTries
}

/** The log as it is, telling of every grant and commit. */
export const watchedLog = (log: EventLog, watch: Watch): EventLog => ({
  ...log,
  own: (owner, signal) =>
    log.own(
      {
        id: owner.id,
        onLease: async (lease) => {
          const name = `${watch.life}/${lease.partition}/${lease.epoch.number}`
          const at = { partition: lease.partition, owner: name }
          watch.say({ told: 'granted', ...at })
          await owner.onLease(watchedLease(lease, name, watch))
          watch.say({ told: 'ended', ...at })
        },
      },
      signal,
    ),
})

const watchedLease = (lease: PartitionLease, owner: string, { say, started }: Watch): PartitionLease => {
  const { partition, epoch, head, lost, handover } = lease
  let moving = false
  const moves = () => {
    if (!moving) say({ told: 'moving', partition, owner })
    moving = true
  }
  return {
    partition,
    epoch,
    head,
    lost,
    handover,
    open: () => lease.open(),
    load: (ids) => lease.load(ids),
    forgottenUntil: () => lease.forgottenUntil(),
    take: async (limit) => {
      const messages = await lease.take(limit)
      if (messages.length === 0) moves()
      return messages
    },
    onArrival: (listener) => lease.onArrival(listener),
    unread: () => lease.unread(),
    commit: async (commit) => {
      await lease.commit(commit)
      const committedAt = Date.now()
      noteStarts(commit, { owner, committedAt }, started)
      if (commit.step !== null) {
        const completed = commit.step.facts.filter(({ type }) => type === 'generation.completed').length
        say({ told: 'committed', partition, epoch: epoch.number, step: commit.step.number, completed, at: committedAt })
        moves()
      }
    },
    trim: (readUpTo) => lease.trim(readUpTo),
    release: () => lease.release(),
  }
}

const noteStarts = ({ step }: Commit, by: { owner: string; committedAt: number }, started: StartedTries): void => {
  for (const { type, sessionId, data } of step?.facts ?? []) {
    if (type === 'generation.started') started.set(sessionId, { attempt: data.attempt, ...by })
    else started.delete(sessionId)
  }
}
