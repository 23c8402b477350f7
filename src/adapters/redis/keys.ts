/** The log's keys. Those of one partition share a hash tag, and so a slot. */
export interface LogKeys {
  /** The log's own record: identity, number of partitions. */
  readonly log: string
  readonly members: string
  readonly channel: string
  readonly partition: (partition: number) => PartitionKeys
}

export interface PartitionKeys {
  /** Hash: identity, lease, head, position. */
  readonly meta: string
  /** Stream: `task` and `source` of each message. */
  readonly inbox: string
  /** Stream: entry `<number>-0` holds a `step` as JSON and its number of `facts`. */
  readonly journal: string
  /** Hash: open sessions by id, JSON. */
  readonly open: string
  /** Hash: tombstones by id, JSON. */
  readonly closed: string
  /** List: step, time and id of each closing, oldest first. */
  readonly closings: string
  /** Hash: dead letters by id, JSON; their bytes by `<id>:bytes`. */
  readonly letters: string
  /** Sorted set, all of one score: `<state>|<when it first died>|<id>` of each letter. */
  readonly burials: string
  /** Hash: the last step that each registered reader has behind it, by its name. */
  readonly readers: string
}

export const logKeys = (prefix: string, partitions: number): LogKeys => {
  const all = Array.from({ length: partitions }, (_, partition) => partitionKeys(`${prefix}:{${partition}}`))
  return {
    log: `${prefix}:{log}:meta`,
    members: `${prefix}:{log}:members`,
    channel: `${prefix}:news`,
    partition: (partition) => {
      const keys = all[partition]
      if (keys === undefined) throw new RangeError(`there is no partition ${partition}`)
      return keys
    },
  }
}

const partitionKeys = (tag: string): PartitionKeys => ({
  meta: `${tag}:meta`,
  inbox: `${tag}:inbox`,
  journal: `${tag}:journal`,
  open: `${tag}:open`,
  closed: `${tag}:closed`,
  closings: `${tag}:closings`,
  letters: `${tag}:letters`,
  burials: `${tag}:burials`,
  readers: `${tag}:readers`,
})
