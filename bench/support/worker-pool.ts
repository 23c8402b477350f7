import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { eventually } from '../../test/support/eventually.ts'
import { Left, type Order, Report } from './worker-messages.ts'

const PROGRAM = join(import.meta.dirname, '../processes/worker.ts')

/** Worker processes that live through all measurements, so that each finds warm code. */
export class WorkerPool {
  readonly #workers: readonly WorkerProcess[]

  constructor(processes: number) {
    this.#workers = Array.from({ length: processes }, () => new WorkerProcess())
  }

  /** So many of them join the log; resolves once each works its share. */
  async join(processes: number, url: string, partitions: number): Promise<WorkerProcess[]> {
    const joining = this.#workers.slice(0, processes)
    for (const worker of joining) worker.tell({ order: 'join', url, partitions })
    await eventually(() => {
      for (const { running } of joining) if (running !== partitions / processes) throw new Error('shares are not even')
    })
    return joining
  }

  /** Resolves when all have ended, their compiled code kept for the next of their kind. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()))
  }
}

const nothingYet: Report = { running: 0, ended: 0, rssMb: 0 }

class WorkerProcess {
  readonly #child: ChildProcess = fork(PROGRAM)
  #report: Report = nothingYet
  #onReport: () => void = () => {}

  constructor() {
    this.#child.on('message', (message) => {
      if (Left.safeParse(message).success) return
      this.#report = Report.parse(message)
      this.#onReport()
    })
  }

  get running(): number {
    return this.#report.running
  }

  get ended(): number {
    return this.#report.ended
  }

  get rssMb(): number {
    return this.#report.rssMb
  }

  onReport(listener: () => void): void {
    this.#onReport = listener
  }

  tell(order: Order): void {
    this.#child.send(order)
  }

  async leave(): Promise<void> {
    this.#onReport = () => {}
    this.tell({ order: 'leave' })
    for (;;) {
      const [message] = (await once(this.#child, 'message')) as [unknown]
      if (Left.safeParse(message).success) break
    }
    this.#report = nothingYet
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill()
    await ended
  }
}
