import { createRequire } from 'node:module'

interface RequestQueue {
  readonly pending: readonly unknown[]
  scheduleCheckPendingRequests: (this: RequestQueue) => void
}

/**
 * kafkajs 2.2.4 looks every millisecond, on every connection, for requests that were held back, also when there are none: some
 * percent of a core for doing nothing, and a TimeoutNegativeWarning. What is held back is looked at when it is handed in.
 */
export const calmKafkajs = (): void => {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    readonly prototype: RequestQueue
  }
  const original: (this: RequestQueue) => void = prototype.scheduleCheckPendingRequests
  if (original.name === calmly.name) return
  function calmly(this: RequestQueue): void {
    if (this.pending.length > 0) original.call(this)
  }
  prototype.scheduleCheckPendingRequests = calmly
}
