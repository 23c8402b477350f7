import { randomUUID } from 'node:crypto'
import { partitionOf, SessionId } from '../../src/events/ids.ts'
import type { EventLog } from '../../src/machines/ports/event-log.ts'

/** A task as a producer sends it. */
export interface Task {
  readonly id: SessionId
  readonly userId: string
  readonly bytes: Uint8Array
}

/** How many tasks are submitted in one call. */
export const BATCH = 500

/** A task for a new session, of a tenant of its own unless told. */
export const newTask = (userId: string = randomUUID()): Task => {
  const id = SessionId.parse(randomUUID())
  const bytes = Buffer.from(
    JSON.stringify({
      task_id: randomUUID(),
      channel: 'b2c',
      user_id: userId,
      session_id: id,
      image_urls: ['https://images.example/person.jpg?token=abc', 'https://images.example/garment.jpg?token=abc'],
      prompt: '',
      request_id: `req_${randomUUID()}`,
      version: 1,
      created_at: new Date().toISOString(),
    }),
  )
  return { id, userId, bytes }
}

export const newTasks = (count: number, userId?: string): Task[] => Array.from({ length: count }, () => newTask(userId))

export const publishAll = async (log: EventLog, tasks: readonly Task[]): Promise<void> => {
  for (let from = 0; from < tasks.length; from += BATCH) {
    await log.publish(
      tasks
        .slice(from, from + BATCH)
        .map(({ id, bytes }) => ({ partition: partitionOf(id, log.partitions), bytes, source: 'http' })),
    )
  }
}
