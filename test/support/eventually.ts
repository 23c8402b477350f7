import { setTimeout as sleep } from 'node:timers/promises'

const DEADLINE_MS = 20_000
const PAUSE_MS = 10

/** Repeats a check until it neither throws nor rejects, and answers its result. After the deadline its last error is thrown. */
export const eventually = async <Result>(
  check: () => Result | Promise<Result>,
  deadlineMs = DEADLINE_MS,
): Promise<Result> => {
  const end = performance.now() + deadlineMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > end) throw error
      await sleep(PAUSE_MS)
    }
  }
}
