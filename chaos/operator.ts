import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { wearon } from '../test/support/server-process.ts'

const LOOK_MS = 500
const ANSWER_MS = 5_000
const REPAIR_MS = 60_000

const Ready = z.looseObject({ damaged_partitions: z.array(z.int()) })

/** Looks after the processes and repairs partitions that stopped because their log is not what the archive knows. */
export class Operator {
  /** Partitions that were repaired, in their order. */
  readonly repaired: number[] = []
  readonly #urls: () => readonly string[]
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  constructor(urls: () => readonly string[]) {
    this.#urls = urls
    this.#running = this.#watch()
  }

  stop(): Promise<void> {
    this.#stop.abort()
    return this.#running
  }

  async #watch(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await Promise.all(this.#urls().map((url) => this.#lookAfter(url)))
      await sleep(LOOK_MS)
    }
  }

  async #lookAfter(url: string): Promise<void> {
    try {
      const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ANSWER_MS) })
      const { damaged_partitions } = Ready.parse(await answer.json())
      for (const partition of damaged_partitions) await this.#repair(url, partition)
    } catch {
      // It was killed, stands still, or starts: the next look tells.
    }
  }

  /** The first with the command that an operator types, the others with the request that it makes: it takes a second to start. */
  async #repair(url: string, partition: number): Promise<void> {
    const done =
      this.repaired.length === 0 ? await repairByCommand(url, partition) : await repairByRequest(url, partition)
    if (done) this.repaired.push(partition)
  }
}

const repairByCommand = async (url: string, partition: number): Promise<boolean> =>
  (await wearon(['repair', `${partition}`, '--url', url, '--json'])).code === 0

const repairByRequest = async (url: string, partition: number): Promise<boolean> => {
  const path = `${url}/v1/partitions/${partition}/repair`
  const answer = await fetch(path, { method: 'POST', signal: AbortSignal.timeout(REPAIR_MS) })
  await answer.arrayBuffer()
  return answer.ok
}
