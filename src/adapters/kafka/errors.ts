/** The broker's name for an error, such as `MESSAGE_TOO_LARGE`. */
export const typeOf = (error: unknown): string | null => {
  const { type, cause } = (error ?? {}) as { type?: unknown; cause?: unknown }
  if (typeof type === 'string') return type
  return cause === undefined ? null : typeOf(cause)
}

/** A broker answered that what was asked for is not in the topic any more. */
export const isOutOfRange = (error: unknown): boolean => typeOf(error) === 'OFFSET_OUT_OF_RANGE'

/** A leader left out what it was asked for. */
export class Unanswered extends Error {}

/** Tells errors after which another try may find the brokers back, which somebody hears of, from those that stay. */
export const tellPassing =
  (onError: (error: unknown) => void) =>
  (error: unknown): boolean => {
    const isKafkas = error instanceof Error && error.name.startsWith('KafkaJS') && !isOutOfRange(error)
    const passes = isKafkas || error instanceof Unanswered
    if (passes) onError(error)
    return passes
  }
