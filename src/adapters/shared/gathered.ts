import { TooManyWaiting, WAITING_MAX } from './too-many-waiting.ts'

/** How questions are gathered into round trips. */
export interface Gathering<Item, Result> {
  /** One round trip: answers in the order of the items. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>
  readonly itemsMax: number
  /** Round trips at once; what is asked for beyond fills the next ones. */
  readonly tripsMax: number
  /** What is asked for beyond is refused with `TooManyWaiting`. */
  readonly waitingMax?: number
  /** Whether an error may be the fault of one item: then each is tried alone. Without it all of them hear of the error. */
  readonly isItemsFault?: (error: unknown) => boolean
}

interface Question<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * A function for one item; all that are asked for in the same turn of the event loop travel together. Unlike `grouped` several
 * round trips may be under way: a slow one holds up nobody else.
 */
export const gathered = <Item, Result>(gathering: Gathering<Item, Result>): ((item: Item) => Promise<Result>) => {
  const { itemsMax, tripsMax, waitingMax = WAITING_MAX } = gathering
  const waiting: Question<Item, Result>[] = []
  let trips = 0
  const send = () => {
    while (waiting.length > 0 && trips < tripsMax) {
      trips += 1
      void settle(waiting.splice(0, itemsMax), gathering).then(() => {
        trips -= 1
        send()
      })
    }
  }
  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= waitingMax) return reject(new TooManyWaiting(waiting.length))
      if (waiting.length === 0) setImmediate(send)
      waiting.push({ item, resolve, reject })
    })
}

/** Never rejects: whoever asked hears of it. */
const settle = async <Item, Result>(
  batch: readonly Question<Item, Result>[],
  gathering: Gathering<Item, Result>,
): Promise<void> => {
  try {
    const results = await gathering.run(batch.map(({ item }) => item))
    if (results.length !== batch.length) throw new Error(`${batch.length} items got ${results.length} answers`)
    for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result)
  } catch (error) {
    if (batch.length === 1 || gathering.isItemsFault?.(error) !== true) for (const { reject } of batch) reject(error)
    else await Promise.all(batch.map((question) => settle([question], gathering)))
  }
}
