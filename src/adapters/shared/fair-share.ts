/**
 * How many partitions this member should hold: all shares together are all partitions, and no two differ by more than one.
 * `members` must stand in an order that all members see alike; the first ones take what is left over.
 */
export const fairShare = (partitions: number, members: readonly string[], member: string): number => {
  const rank = members.indexOf(member)
  if (rank < 0) return 0
  return Math.floor(partitions / members.length) + (rank < partitions % members.length ? 1 : 0)
}

/** The free partitions in the order in which this member asks for them: each begins elsewhere, so that few ask for the same. */
export const askingOrder = (free: readonly number[], members: readonly string[], member: string): number[] => {
  const start = Math.floor((free.length * Math.max(members.indexOf(member), 0)) / Math.max(members.length, 1))
  return [...free.slice(start), ...free.slice(0, start)]
}
