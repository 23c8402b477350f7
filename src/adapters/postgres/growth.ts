import type { Sql } from './sql.ts'

/** One LISTEN shared by all who want to know; whoever waits also polls, so a lost notification only costs seconds. */
export const growth = (sql: Sql, channel: string) => {
  const listeners = new Set<() => void>()
  const callAll = () => {
    for (const listener of listeners) listener()
  }
  let listening: Promise<() => Promise<void>> | null = null
  const listen = () => {
    listening ??= sql.listen(channel, callAll, callAll)
    listening.catch(() => {
      listening = null
    })
  }
  return {
    onGrowth: (listener: () => void): (() => void) => {
      listeners.add(listener)
      listen()
      return () => listeners.delete(listener)
    },
    close: async (): Promise<void> => {
      listeners.clear()
      const stop = await listening?.catch(() => null)
      await stop?.()
    },
  }
}
