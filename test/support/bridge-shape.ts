/** What the bridges of a test and the test itself must agree on. */
export const BRIDGE_PARTITIONS = 3
export const BRIDGE_TTL_MS = 400
