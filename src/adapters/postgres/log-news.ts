import type { Clock } from '../../machines/ports/environment.ts'
import { LogListeners, type LogNews } from '../shared/log-listeners.ts'
import type { Sql } from './sql.ts'

const CHANNEL = 'wearon_log'

interface Looking {
  readonly clock: Clock
  readonly pollMs: number
  /** Hears of looks that failed; the next one comes all the same. */
  readonly onError: (error: unknown) => void
}

/** Starts to listen, and to look every `pollMs` in case a notification was lost. */
export const openNews = async (sql: Sql, { clock, pollMs, onError }: Looking): Promise<LogNews> => {
  const listeners = new LogListeners()
  const closing = new AbortController()
  const unlisten = await sql.listen(
    CHANNEL,
    (payload) => listeners.hear(payload),
    () => listeners.callAll(),
  )
  const look = () =>
    sql.query<Pulse>(LOOK).catch((error: unknown) => {
      onError(error)
      return []
    })
  const polling = poll(look, () => clock.sleep(pollMs, closing.signal), listeners, closing.signal)
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
  readonly consumed: number
  readonly head_number: number
}

/** Looks by itself, as long as somebody listens. */
const poll = async (
  look: () => Promise<Pulse[]>,
  pause: () => Promise<void>,
  listeners: LogListeners,
  closing: AbortSignal,
): Promise<void> => {
  let before = new Map<number, Pulse>()
  while (!closing.aborted) {
    await pause()
    if (closing.aborted || !listeners.any) continue
    const rows = await look()
    const changed = (of: keyof Pulse) => rows.filter((row) => row[of] !== before.get(row.partition)?.[of])
    // What is behind its owner wakes nobody.
    const arrived = changed('published').filter(({ published, consumed }) => published > consumed)
    for (const { partition } of arrived) listeners.hear(`inbox ${partition}`)
    if (changed('head_number').length > 0) listeners.hear('journal')
    if (rows.length > 0) before = new Map(rows.map((row) => [row.partition, row]))
  }
}

const LOOK = `
  select p.partition, b.published, p.consumed, p.head_number
  from wearon.log_partitions p join wearon.log_inboxes b on b.partition = p.partition`
