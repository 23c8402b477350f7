import type { Clock } from '../../machines/ports/environment.ts'
import type { Sql } from './sql.ts'

const CHANNEL = 'wearon_log'

type Listener = () => void

/** What happened in the log, by notification and, for all partitions together, by a look every few seconds. */
export interface LogNews {
  /** Calls back when there may be messages for the partition. */
  onArrival(partition: number, listener: Listener): () => void
  onGrowth(listener: Listener): () => void
  onLeases(listener: Listener): () => void
  close(): Promise<void>
}

interface Listeners {
  readonly arrivals: Map<number, Set<Listener>>
  readonly growth: Set<Listener>
  readonly leases: Set<Listener>
}

/** Starts to listen, and to look every `pollMs` in case a notification was lost. */
export const openNews = async (sql: Sql, clock: Clock, pollMs: number): Promise<LogNews> => {
  const listeners: Listeners = { arrivals: new Map(), growth: new Set(), leases: new Set() }
  const closing = new AbortController()
  const unlisten = await sql.listen(
    CHANNEL,
    (payload) => spread(listeners, payload),
    () => callAll(listeners),
  )
  const polling = poll(sql, () => clock.sleep(pollMs, closing.signal), listeners, closing.signal)
  return {
    onArrival: (partition, listener) => {
      const set = listeners.arrivals.get(partition) ?? new Set()
      listeners.arrivals.set(partition, set)
      return added(set, listener)
    },
    onGrowth: (listener) => added(listeners.growth, listener),
    onLeases: (listener) => added(listeners.leases, listener),
    close: async () => {
      closing.abort()
      await polling
      await unlisten()
    },
  }
}

const added = (set: Set<Listener>, listener: Listener) => {
  set.add(listener)
  return () => {
    set.delete(listener)
  }
}

/** Payloads are `journal`, `leases`, or `inbox` with the partitions' numbers. */
const spread = ({ arrivals, growth, leases }: Listeners, payload: string): void => {
  const [topic, partitions = ''] = payload.split(' ')
  if (topic === 'journal') for (const listener of growth) listener()
  if (topic === 'leases') for (const listener of leases) listener()
  if (topic !== 'inbox') return
  for (const partition of partitions.split(','))
    for (const listener of arrivals.get(Number(partition)) ?? []) listener()
}

const callAll = ({ arrivals, growth, leases }: Listeners): void => {
  for (const set of [growth, leases, ...arrivals.values()]) for (const listener of set) listener()
}

interface Pulse {
  readonly partition: number
  readonly published: number
  readonly head_number: number
}

/** Looks by itself, as long as somebody listens; an outage shows where the log is really used. */
const poll = async (
  sql: Sql,
  pause: () => Promise<void>,
  listeners: Listeners,
  closing: AbortSignal,
): Promise<void> => {
  let before = new Map<number, Pulse>()
  while (!closing.aborted) {
    await pause()
    if (closing.aborted || (listeners.growth.size === 0 && listeners.arrivals.size === 0)) continue
    const rows = await sql.query<Pulse>(LOOK).catch(() => [])
    const changed = (of: keyof Pulse) => rows.filter((row) => row[of] !== before.get(row.partition)?.[of])
    for (const { partition } of changed('published')) spread(listeners, `inbox ${partition}`)
    if (changed('head_number').length > 0) spread(listeners, 'journal')
    if (rows.length > 0) before = new Map(rows.map((row) => [row.partition, row]))
  }
}

const LOOK = `
  select p.partition, b.published, p.head_number
  from wearon.log_partitions p join wearon.log_inboxes b on b.partition = p.partition`
