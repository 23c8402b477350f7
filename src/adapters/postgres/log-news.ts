import type { Clock } from '../../machines/ports/environment.ts'
import { LogListeners, type LogNews } from '../shared/log-listeners.ts'
import type { Sql } from './sql.ts'

const CHANNEL = 'wearon_log'

/** Starts to listen, and to look every `pollMs` in case a notification was lost. */
export const openNews = async (sql: Sql, clock: Clock, pollMs: number): Promise<LogNews> => {
  const listeners = new LogListeners()
  const closing = new AbortController()
  const unlisten = await sql.listen(
    CHANNEL,
    (payload) => listeners.hear(payload),
    () => listeners.callAll(),
  )
  const polling = poll(sql, () => clock.sleep(pollMs, closing.signal), listeners, closing.signal)
  return {
    onArrival: (partition, listener) => listeners.onArrival(partition, listener),
    onGrowth: (listener) => listeners.onGrowth(listener),
    onLeases: (listener) => listeners.onLeases(listener),
    close: async () => {
      closing.abort()
      await polling
      await unlisten()
    },
  }
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
  listeners: LogListeners,
  closing: AbortSignal,
): Promise<void> => {
  let before = new Map<number, Pulse>()
  while (!closing.aborted) {
    await pause()
    if (closing.aborted || !listeners.any) continue
    const rows = await sql.query<Pulse>(LOOK).catch(() => [])
    const changed = (of: keyof Pulse) => rows.filter((row) => row[of] !== before.get(row.partition)?.[of])
    for (const { partition } of changed('published')) listeners.hear(`inbox ${partition}`)
    if (changed('head_number').length > 0) listeners.hear('journal')
    if (rows.length > 0) before = new Map(rows.map((row) => [row.partition, row]))
  }
}

const LOOK = `
  select p.partition, b.published, p.head_number
  from wearon.log_partitions p join wearon.log_inboxes b on b.partition = p.partition`
