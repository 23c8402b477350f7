import type { Clock } from '../../machines/ports/environment.ts'
import { inTime } from '../../machines/runtime/in-time.ts'
import type { LeaseRef, LeaseTable } from '../shared/lease-table.ts'
import type { Anchors } from './anchors.ts'
import type { Group } from './group.ts'
import type { Links } from './links.ts'
import type { News } from './news.ts'
import type { Outbox } from './outbox.ts'
import { leavingOf, noticeOf } from './owners.ts'
import type { Parcel } from './producer.ts'
import { encode } from './records.ts'
import type { Topics } from './topics.ts'

/** Where a lease begins: the offset of the claim under which it stands. */
export interface LeaseStart {
  readonly claim: number
  /** How often the connections had changed before it was written. */
  readonly sureAt: number
}

/**
 * The leases of a log on Kafka. A lease is a claim in the partition's journal, told to the others in the owners' topic; it lasts
 * as long as its owner is in the consumer group and nobody claims after it.
 */
export const kafkaLeaseTable = (at: {
  readonly partitions: number
  readonly topics: Topics
  readonly outbox: Outbox
  readonly links: Links
  readonly anchors: Anchors
  readonly news: News
  readonly group: Group
  readonly clock: Clock
  /** No answer is waited for longer: what is held is lost by then. */
  readonly ttlMs: number
  readonly newId: () => string
  readonly onError: (error: unknown) => void
}): LeaseTable<LeaseStart> => {
  const { partitions, topics, outbox, links, anchors, news, group, clock, ttlMs, newId, onError } = at
  const soon = <Result>(work: Promise<Result>) => inTime(work, ttlMs, clock)
  let told = false
  const tellLeaving = async (member: string) => {
    if (told) return
    await outbox.send([leavingOf(topics.owners, member, true)])
    told = true
  }
  /** What stands under the member's name and is not held: a lease that was lost here, a claim whose answer was lost. */
  const freeStrays = async (member: string, held: readonly LeaseRef[]) => {
    const epochs = new Map(held.map(({ partition, epoch }) => [partition, epoch.number]))
    const strays = [...news.owners.partitions].filter(
      ([partition, { owner, epoch }]) => owner === member && epochs.get(partition) !== epoch,
    )
    const parcels = strays.map(([partition, { epoch }]) => noticeOf(topics.owners, partition, { owner: null, epoch }))
    if (parcels.length > 0) await outbox.send(parcels)
  }
  return {
    partitions,
    beat: async (member, held, _ttlMs, joins) => {
      if (!joins) await soon(tellLeaving(member))
      const [live] = await soon(Promise.all([group.members(), news.catchUp()]))
      const { owners } = news
      await soon(freeStrays(member, held))
      const isFree = (partition: number) => !live.includes(owners.partitions.get(partition)?.owner ?? '')
      const holds = held.filter(
        ({ partition, epoch }) =>
          owners.partitions.get(partition)?.epoch === epoch.number && !anchors.hasLost(epoch.token),
      )
      return {
        extended: new Set(live.includes(member) ? holds.map(({ partition }) => partition) : []),
        members: live.filter((one) => !owners.leaving.has(one)),
        free: Array.from({ length: partitions }, (_, partition) => partition).filter(isFree),
      }
    },
    acquire: async (member, wanted) => {
      const claims = await Promise.allSettled(
        wanted.map(async (partition) => {
          // Time in it keeps the epoch growing also when the topics were made anew.
          const number = Math.max(Math.floor(clock.now()), (news.owners.partitions.get(partition)?.epoch ?? 0) + 1)
          const epoch = { number, token: newId() }
          const claim = encode({ kind: 'claim', epoch: number, token: epoch.token, sequence: 0 }, {})
          const parcel: Parcel = { topic: topics.journal, partition, ...claim }
          const sureAt = links.changes
          const notice = noticeOf(topics.owners, partition, { owner: member, epoch: number })
          // One whose answer comes too late is freed by the next beat.
          const offset = await soon(outbox.send([parcel, notice]))
          return { partition, epoch, start: { claim: offset, sureAt } }
        }),
      )
      // One that failed is tried again, and must not take the others with it.
      for (const claim of claims) if (claim.status === 'rejected') onError(claim.reason)
      return claims.flatMap((claim) => (claim.status === 'fulfilled' ? [claim.value] : []))
    },
    release: async (member, held) => {
      await soon(news.catchUp())
      const own = held.filter(({ partition, epoch }) => {
        const notice = news.owners.partitions.get(partition)
        return notice?.owner === member && notice.epoch === epoch.number
      })
      const parcels = own.map(({ partition, epoch }) =>
        noticeOf(topics.owners, partition, { owner: null, epoch: epoch.number }),
      )
      if (parcels.length > 0) await soon(outbox.send(parcels))
    },
    leave: async (member) => {
      await group.leave()
      if (told) await soon(outbox.send([leavingOf(topics.owners, member, false)]))
    },
    onChange: (listener) => {
      const stops = [group.onChange(listener), news.onOwners(listener), anchors.onLoss(listener)]
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}
