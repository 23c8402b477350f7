import type { SessionId } from '../../events/ids.ts'
import { TaskSource } from '../../events/task.ts'
import type { Told } from '../shared/log-listeners.ts'

/** News carry messages of up to so many bytes: every process hears them, so large ones are fetched by whom they concern. */
export const CARRIED_BYTES_MAX = 4_096

/**
 * Partition, step, position behind it, its own position, source and session; then the message, which may hold anything. Whoever
 * reads no further than the partition knows as much as from other news.
 */
const TASK =
  /^inbox (?<partition>\d+) (?<step>\d+) (?<after>\S+) (?<position>\S+) (?<source>\S+) (?<session>\S+) (?<task>.*)$/s

/** Reads the news of one message, as `publish.lua` writes them; null for other news. */
export const readTold = (text: string): { readonly partition: number; readonly told: Told } | null => {
  const found = TASK.exec(text)?.groups
  if (found === undefined) return null
  const { partition, step, after = '', position = '', source, session, task = '' } = found
  return {
    partition: Number(partition),
    told: {
      step: Number(step),
      after,
      // The script looked it up as an id.
      sessionId: session as SessionId,
      message: { position, source: TaskSource.safeParse(source).data ?? 'inbox', bytes: Buffer.from(task, 'latin1') },
    },
  }
}
