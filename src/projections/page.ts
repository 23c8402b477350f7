/** The cursor asked for was not handed out here. */
export class BadCursor extends Error {
  override readonly name = 'BadCursor'
}

export interface Page<Item> {
  readonly items: readonly Item[]
  /** Hand it back for the next page; null on the last one. */
  readonly next: string | null
}
