import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

const RETRY_FIRST_MS = 100
const RETRY_MAX_MS = 5_000

interface Subscription {
  readonly channel: string
  readonly onNotify: (payload: string) => void
  readonly onBreak: (() => void) | undefined
}

/**
 * Listens on one connection of its own, opened at the first subscription and opened again whenever it is lost.
 * @param onFault hears that it was lost, and of each try to open it again that failed.
 */
export const listenOn = (config: pg.ClientConfig, onFault: (error: unknown) => void) => {
  const subscriptions = new Set<Subscription>()
  const closing = new AbortController()
  let connection: Promise<pg.Client> | undefined

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client(config)
    // Also before the first success, so that a failed attempt is a rejection here and nothing else.
    client.on('error', () => undefined)
    client.on('notification', ({ channel, payload = '' }) => {
      for (const subscription of subscriptions) if (subscription.channel === channel) subscription.onNotify(payload)
    })
    try {
      await client.connect()
      const channels = new Set([...subscriptions].map(({ channel }) => channel))
      for (const channel of channels) await client.query(`listen ${pg.escapeIdentifier(channel)}`)
    } catch (error) {
      // A server that only refused to listen would keep it.
      void client.end().catch(() => undefined)
      throw error
    }
    client.once('end', () => {
      if (closing.signal.aborted) return
      onFault(new Error('the connection that listens was lost'))
      connection = reconnect()
    })
    return client
  }

  const reconnect = async (): Promise<pg.Client> => {
    for (let pauseMs = RETRY_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, RETRY_MAX_MS)) {
      await sleep(pauseMs, undefined, { signal: closing.signal })
      const client = await connect().catch((error: unknown) => {
        onFault(error)
        return null
      })
      if (client === null) continue
      for (const { onBreak } of subscriptions) onBreak?.()
      return client
    }
  }

  return {
    listen: async (channel: string, onNotify: (payload: string) => void, onBreak?: () => void) => {
      const subscription = { channel, onNotify, onBreak }
      subscriptions.add(subscription)
      const opened = (connection ??= connect())
      try {
        const client = await opened.catch((error: unknown) => {
          // The next subscriber begins anew instead of waiting for a connection that never came.
          if (connection === opened) connection = undefined
          throw error
        })
        await client.query(`listen ${pg.escapeIdentifier(channel)}`)
      } catch (error) {
        subscriptions.delete(subscription)
        throw error
      }
      return async () => {
        subscriptions.delete(subscription)
      }
    },
    close: async () => {
      closing.abort()
      const client = await connection?.catch(() => null)
      await client?.end()
    },
  }
}
