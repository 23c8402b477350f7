import type { Gate } from '../ports/generator.ts'

/** A gate that takes from both or from neither: what the second grants is spent, so the first is asked whether it would grant. */
export const both = (first: Gate | undefined, second: Gate): Gate => {
  if (first === undefined) return second
  return {
    take: () => first.waitMs() === 0 && second.take() && first.take(),
    waitMs: () => Math.max(first.waitMs(), second.waitMs()),
  }
}
