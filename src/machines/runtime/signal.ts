/** Wakes one waiter, and remembers a wake-up that came while nobody waited. */
export class WakeUp {
  #set = false
  #resolve: (() => void) | null = null

  notify(): void {
    this.#set = true
    this.#resolve?.()
    this.#resolve = null
  }

  async wait(): Promise<void> {
    if (!this.#set) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve
      })
    }
    this.#set = false
  }
}

/** Calls back when the signal fires, at once when it already has. Answers how to stop listening. */
export const onAbort = (signal: AbortSignal, listener: () => void): (() => void) => {
  if (signal.aborted) {
    listener()
    return () => {}
  }
  signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}

/** Resolves when the signal fires. */
export const aborted = (signal: AbortSignal): Promise<void> => new Promise((resolve) => onAbort(signal, resolve))
