/** What every record of a journal says of itself, in its headers. */
export interface Mark {
  readonly kind: 'claim' | 'commit' | 'trim' | 'checkpoint' | 'part'
  readonly epoch: number
  readonly token: string
  /** Counts the records of one epoch; the claim is 0. */
  readonly sequence: number
}

/** How far a reader came: whose epoch it is, and which record of it counted last. Null before the first claim. */
export type Reached = Omit<Mark, 'kind'> | null

/**
 * The one rule by which everybody reads a journal: a record counts only if its epoch is the latest claim's and its sequence
 * is the next. A claim counts when its epoch is higher. What was trimmed ended before a checkpoint, which counts when nothing
 * stands before it. Answers how far the reader came by this record, or null when it does not count.
 */
export const judge = (reached: Reached, { kind, epoch, token, sequence }: Mark): Exclude<Reached, null> | null => {
  const next = { epoch, token, sequence }
  if (kind === 'claim') return epoch > (reached?.epoch ?? 0) ? next : null
  if (reached === null) return kind === 'checkpoint' ? next : null
  return reached.epoch === epoch && reached.token === token && reached.sequence + 1 === sequence ? next : null
}

/**
 * Whether a record stands under a claim that came after the reader's and that the reader did not see: then the journal lost
 * its tail since, and the claim took the place of a record that the reader has behind it.
 */
export const missedClaim = (reached: Reached, { kind, epoch, token }: Mark): boolean =>
  kind !== 'claim' &&
  reached !== null &&
  (epoch > reached.epoch || (epoch === reached.epoch && token !== reached.token))
