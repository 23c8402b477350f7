import { pause } from './poll.ts'

/** What moves shows in a list this soon again at the earliest, ms. */
const EVERY_MS = 2_000

interface Kept {
  readonly signal: AbortSignal
  /** A list with more rows is one that somebody reads on in. */
  readonly rowsMax: number
  readonly read: () => Promise<void>
}

/** Reads a list again after something moved, unless somebody reads on in it or stands in it with the keyboard. */
export const keepFresh = async (list: HTMLElement, moved: Waker, { signal, rowsMax, read }: Kept): Promise<void> => {
  const refresh = async () => {
    await pause(EVERY_MS, signal)
    const isRead = list.contains(document.activeElement) || list.querySelectorAll('tbody tr').length > rowsMax
    // What is shown stays true as of its time: a try that fails is left to the next.
    if (!signal.aborted && !document.hidden && !isRead) await read().catch(() => undefined)
  }
  while (!signal.aborted) {
    await moved.next(signal)
    await refresh()
    // Once more: the table that the list reads may follow a little later than the one that is counted.
    if (!moved.woken) await refresh()
  }
}

/** Lets one wait for the next time that something happens; what happens meanwhile counts once. */
export class Waker {
  #wake = () => {}
  #woken = false

  get woken(): boolean {
    return this.#woken
  }

  wake(): void {
    this.#woken = true
    this.#wake()
  }

  async next(signal: AbortSignal): Promise<void> {
    if (!this.#woken && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    this.#woken = false
  }
}
