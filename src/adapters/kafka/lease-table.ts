import type { Clock } from '../../machines/ports/environment.ts'
import type { LeaseTable } from '../shared/lease-keeper.ts'
import type { Group } from './group.ts'
import type { News } from './news.ts'
import type { Outbox, Parcel } from './outbox.ts'
import { leavingOf, noticeOf } from './owners.ts'
import { encode } from './records.ts'
import type { Topics } from './topics.ts'

/** Where a lease begins: the offset of the claim under which it stands. */
export interface LeaseStart {
  readonly claim: number
}

/**
 * The leases of a log on Kafka. A lease is a claim in the partition's journal, told to the others in the owners' topic; it lasts
 * as long as its owner is in the consumer group and nobody claims after it.
 */
export const kafkaLeaseTable = (at: {
  readonly partitions: number
  readonly topics: Topics
  readonly outbox: Outbox
  readonly news: News
  readonly group: Group
  readonly clock: Clock
  readonly newId: () => string
}): LeaseTable<LeaseStart> => {
  const { partitions, topics, outbox, news, group, clock, newId } = at
  const { owners } = news
  let told = false
  const tellLeaving = async (member: string) => {
    if (told) return
    await outbox.send([leavingOf(topics.owners, member, true)])
    told = true
  }
  return {
    partitions,
    beat: async (member, held, _ttlMs, joins) => {
      if (!joins) await tellLeaving(member)
      const [live] = await Promise.all([group.members(), news.catchUp()])
      const isFree = (partition: number) => !live.includes(owners.partitions.get(partition)?.owner ?? '')
      const holds = held.filter(({ partition, epoch }) => owners.partitions.get(partition)?.epoch === epoch.number)
      return {
        extended: new Set(live.includes(member) ? holds.map(({ partition }) => partition) : []),
        members: live.filter((one) => !owners.leaving.has(one)),
        free: Array.from({ length: partitions }, (_, partition) => partition).filter(isFree),
      }
    },
    acquire: (member, wanted) =>
      Promise.all(
        wanted.map(async (partition) => {
          // Time in it keeps the epoch growing also when the topics were made anew.
          const number = Math.max(Math.floor(clock.now()), (owners.partitions.get(partition)?.epoch ?? 0) + 1)
          const epoch = { number, token: newId() }
          const claim = encode({ kind: 'claim', epoch: number, token: epoch.token, sequence: 0 }, {})
          const parcel: Parcel = { topic: topics.journal, partition, ...claim }
          const offset = await outbox.send([
            parcel,
            noticeOf(topics.owners, partition, { owner: member, epoch: number }),
          ])
          return { partition, epoch, start: { claim: offset } }
        }),
      ),
    release: async (member, held) => {
      await news.catchUp()
      const own = held.filter(({ partition, epoch }) => {
        const notice = owners.partitions.get(partition)
        return notice?.owner === member && notice.epoch === epoch.number
      })
      const parcels = own.map(({ partition, epoch }) =>
        noticeOf(topics.owners, partition, { owner: null, epoch: epoch.number }),
      )
      if (parcels.length > 0) await outbox.send(parcels)
    },
    leave: async (member) => {
      await group.leave()
      if (told) await outbox.send([leavingOf(topics.owners, member, false)])
    },
    onChange: (listener) => {
      const stops = [group.onChange(listener), news.onOwners(listener)]
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}
