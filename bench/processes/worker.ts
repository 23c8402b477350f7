// Run as a child with a channel to its parent: joins a log in Redis when told, works its share, and tells how it goes.
import { openOnRedis } from '../contenders/redis-log.ts'
import { type Engine, startEngine } from '../support/engine.ts'
import { peakRssMb } from '../support/figures.ts'
import { Order, type Report } from '../support/worker-messages.ts'

/** Reports are sent this often at most. */
const REPORT_EVERY_MS = 5

interface Joined {
  readonly engine: Engine
  readonly leave: () => Promise<void>
}

let joined: Joined | null = null

const join = async (url: string, partitions: number): Promise<Joined> => {
  const { log, close } = await openOnRedis(url, partitions)
  const engine = startEngine({ log })
  let ended = 0
  let last: Report = { running: 0, ended: 0, rssMb: 0 }
  const report = setInterval(() => {
    const now = { running: engine.running, ended, rssMb: peakRssMb() }
    if (now.running === last.running && now.ended === last.ended) return
    last = now
    process.send?.(now)
  }, REPORT_EVERY_MS)
  engine.onCommit(({ tombstones }) => {
    ended += tombstones.length
  })
  const leave = async () => {
    clearInterval(report)
    await engine.stop()
    await close()
  }
  return { engine, leave }
}

// An orderly end: Node keeps compiled code only then.
process.on('SIGTERM', () => process.exit())

process.on('message', (message) => void follow(Order.parse(message)))

const follow = async (order: Order): Promise<void> => {
  if (order.order === 'join') joined = await join(order.url, order.partitions)
  else {
    await joined?.leave()
    joined = null
    process.send?.('left')
  }
}
