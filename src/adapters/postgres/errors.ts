/** SQLSTATE classes (PostgreSQL manual, appendix A) of what another try may not meet again: the statement was not at fault. */
const PASSING = [
  '08', // connection
  '40', // serialization, deadlock
  '53', // out of connections, disk or memory
  '55', // lock not available
  '57', // shutting down, statement timeout
  '58', // the server's disk
]

/** Whether the server said that the statement itself is wrong. A broken connection says nothing: its outcome is unknown. */
export const isStatementsFault = (error: unknown): boolean => {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !PASSING.includes(code.slice(0, 2))
}
