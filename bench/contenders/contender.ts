import type { Task } from '../support/task.ts'

/** One way to do the job that is measured. */
export interface Contender {
  readonly name: string
  /** Starts it with nothing in it, ready to work. */
  open(): Promise<Opened>
}

export interface Opened {
  /** Brings the tasks into the form that it takes; what is answered submits them. Only that is measured. */
  prepare(tasks: readonly Task[]): Promise<() => Promise<void>>
  /** Calls back with the id of each session whose end is durable. */
  onEnd(listener: (session: string) => void): void
  close(): Promise<void>
}
