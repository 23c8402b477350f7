import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ISocketFactory, KafkaConfig } from 'kafkajs'

const KEEP_ALIVE_MS = 60_000

/**
 * Whether anything happened to the connections to the brokers. A topic loses its tail only when its broker restarts or another
 * one takes its place, and neither leaves the connections as they were: as long as `changes` stands still, what was read and
 * written since is there.
 */
export interface Links {
  /** Counts connections that came or went, and answers that said that the leader is another one. */
  readonly changes: number
  /** The brokers as they were configured, on connections that are watched. */
  readonly config: KafkaConfig
  noteChange(): void
}

export const watchLinks = (config: KafkaConfig): Links => {
  const { socketFactory = openSocket } = config
  let changes = 0
  const noteChange = () => {
    changes++
  }
  return {
    get changes() {
      return changes
    },
    noteChange,
    config: {
      ...config,
      socketFactory: (options) => {
        const socket = socketFactory(options)
        noteChange()
        socket.once('close', noteChange)
        return socket
      },
    },
  }
}

/** As kafkajs opens them itself, but nothing waits to be sent along with something else. */
const openSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket: Socket = ssl
    ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...ssl }, onConnect)
    : connect({ host, port }, onConnect)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  socket.setNoDelay(true)
  return socket
}
