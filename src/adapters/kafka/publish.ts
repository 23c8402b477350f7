import type { Clock } from '../../machines/ports/environment.ts'
import type { EventLog } from '../../machines/ports/event-log.ts'
import type { Outbox } from './outbox.ts'
import type { Parcel } from './producer.ts'

/** So that one call's records fit in a request, whatever their number. */
const PUBLISH_BYTES = 2 * 1024 * 1024
const PUBLISH_TRIES = 5
const PUBLISH_PAUSE_MS = 100

/** Writes messages to an inbox. @throws what the brokers say after the last try: some of the messages may be there. */
export const publish = async (
  messages: Parameters<EventLog['publish']>[0],
  { topic, outbox, clock }: { readonly topic: string; readonly outbox: Outbox; readonly clock: Clock },
): Promise<void> => {
  const parcels = messages.map(({ partition, bytes, source }) => ({
    topic,
    partition,
    value: Buffer.from(bytes),
    headers: { source },
  }))
  for (const some of chunks(parcels)) await send(some, outbox, clock)
}

const send = async (parcels: readonly Parcel[], outbox: Outbox, clock: Clock): Promise<void> => {
  for (let tries = 1; ; tries++) {
    try {
      await outbox.send(parcels)
      return
    } catch (error) {
      // A duplicate is dropped by the session's machine.
      if (tries === PUBLISH_TRIES) throw error
      await clock.sleep(PUBLISH_PAUSE_MS)
    }
  }
}

const chunks = (parcels: readonly Parcel[]): Parcel[][] => {
  const all: Parcel[][] = []
  // The first parcel opens the first chunk, also an empty one.
  let bytes = Number.POSITIVE_INFINITY
  for (const parcel of parcels) {
    const size = parcel.value?.byteLength ?? 0
    if (bytes + size > PUBLISH_BYTES) {
      all.push([])
      bytes = 0
    }
    all.at(-1)?.push(parcel)
    bytes += size
  }
  return all
}
