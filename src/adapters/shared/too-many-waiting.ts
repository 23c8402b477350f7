/** Far more than ever wait for a round trip: whoever they wait for hangs, and who comes now must not hang with them. */
export const WAITING_MAX = 100_000

/** What was asked for was not begun. */
export class TooManyWaiting extends Error {
  override readonly name = 'TooManyWaiting'

  constructor(waiting: number) {
    super(`${waiting} calls wait for a round trip already`)
  }
}
