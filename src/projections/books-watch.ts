import type { Environment } from '../machines/ports/environment.ts'
import { EXCEPTIONS } from './books.ts'
import type { Books, ReconciliationRun } from './reconciliation.ts'

/** Keeps a run of the reconciliation now and then, shows it as metrics, and says so once when the books stop to balance. */
export class BooksWatch {
  readonly #books: Pick<Books, 'reconcile'>
  readonly #environment: Pick<Environment, 'meter' | 'logger'>
  #wasBalanced = true

  constructor(books: Pick<Books, 'reconcile'>, environment: Pick<Environment, 'meter' | 'logger'>) {
    this.#books = books
    this.#environment = environment
  }

  /** @param everyMs a run that is younger is taken as it is: another process has made it. */
  async look(everyMs: number): Promise<void> {
    const run = await this.#books.reconcile(everyMs)
    this.#show(run)
    if (this.#wasBalanced && !run.balanced) {
      const { id, asOf, drift, classes } = run
      this.#environment.logger.error({ id, asOf, drift, classes }, 'the books do not balance: see wearon reconcile')
    }
    this.#wasBalanced = run.balanced
  }

  #show({ classes, drift, escalated, oldestOwedSeconds, balanced }: ReconciliationRun): void {
    const { meter } = this.#environment
    const overdue = classes.overdue ?? 0
    meter.gauge('refunds_owed', (classes.owed ?? 0) + overdue)
    meter.gauge('refunds_overdue', overdue)
    meter.gauge('refunds_escalated', escalated)
    meter.gauge('refunds_oldest_owed_seconds', oldestOwedSeconds ?? 0)
    meter.gauge('books_drift_credits', drift)
    meter.gauge('books_balanced', Number(balanced))
    for (const name of EXCEPTIONS) meter.gauge('books_exceptions', classes[name] ?? 0, { class: name })
  }
}
