import type { Contender } from '../contenders/contender.ts'
import { newTasks } from './task.ts'
import { countTo, within } from './within.ts'

/** Sessions a second from the submission of the first until the end of the last is durable. */
export const throughput = async (contender: Contender, sessions: number): Promise<number> => {
  const opened = await contender.open()
  try {
    const submit = await opened.prepare(newTasks(sessions))
    const ends = countTo(sessions)
    opened.onEnd(() => ends.add())
    const startedAt = performance.now()
    await submit()
    await within(ends.reached, `end of all sessions (${contender.name})`)
    return (sessions / (performance.now() - startedAt)) * 1000
  } finally {
    await opened.close()
  }
}
