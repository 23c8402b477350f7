import { TooManyWaiting, WAITING_MAX } from './too-many-waiting.ts'

/** How calls are gathered into one round trip. */
export interface Grouping<Item, Result> {
  /** One round trip: answers in the order of the items. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>
  readonly weigh: (item: Item) => number
  /** No round trip carries more, except a single item that weighs more. */
  readonly weightMax: number
  readonly itemsMax: number
  /** What is asked for beyond is refused with `TooManyWaiting`. */
  readonly waitingMax?: number
  /** Items of one key never travel together, and stay in order. */
  readonly keyOf?: (item: Item) => unknown
  /** Whether an error may be the fault of one item: then the others are tried without it. */
  readonly isItemsFault: (error: unknown) => boolean
}

interface Call<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * A function for one item that travels with all others that were called meanwhile: while one round trip runs, the next one
 * fills. So a busy log makes few large round trips, and an idle one answers at once.
 */
export const grouped = <Item, Result>(grouping: Grouping<Item, Result>): ((item: Item) => Promise<Result>) => {
  const { waitingMax = WAITING_MAX } = grouping
  let waiting: Call<Item, Result>[] = []
  let running = false

  const pump = async () => {
    running = true
    // Callers that were woken by the same event join this round trip.
    await new Promise(setImmediate)
    while (waiting.length > 0) {
      const { batch, rest } = cut(waiting, grouping)
      waiting = rest
      await settle(batch, grouping)
    }
    running = false
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= waitingMax) return reject(new TooManyWaiting(waiting.length))
      waiting.push({ item, resolve, reject })
      if (!running) void pump()
    })
}

const cut = <Item, Result>(waiting: readonly Call<Item, Result>[], grouping: Grouping<Item, Result>) => {
  const { weigh, weightMax, itemsMax, keyOf = () => ({}) } = grouping
  const batch: Call<Item, Result>[] = []
  const rest: Call<Item, Result>[] = []
  const keys = new Set<unknown>()
  let weight = 0
  for (const call of waiting) {
    const key = keyOf(call.item)
    const fits = batch.length === 0 || (batch.length < itemsMax && weight + weigh(call.item) <= weightMax)
    // An item that stays behind keeps its key: no later one of the same key may overtake it.
    const goes = fits && !keys.has(key)
    keys.add(key)
    if (goes) weight += weigh(call.item)
    ;(goes ? batch : rest).push(call)
  }
  return { batch, rest }
}

/** Never rejects: each call hears of its own outcome. */
const settle = async <Item, Result>(
  batch: readonly Call<Item, Result>[],
  grouping: Grouping<Item, Result>,
): Promise<void> => {
  try {
    const results = await grouping.run(batch.map(({ item }) => item))
    if (results.length !== batch.length) throw new Error(`${batch.length} items got ${results.length} answers`)
    for (const [index, call] of batch.entries()) call.resolve(results[index] as Result)
  } catch (error) {
    if (batch.length === 1 || !grouping.isItemsFault(error)) for (const call of batch) call.reject(error)
    else for (const call of batch) await settle([call], grouping)
  }
}
