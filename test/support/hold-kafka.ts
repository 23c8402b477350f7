// Run as a process of its own: owns the partitions of a log and commits a step in each again and again, until it is killed.
import { randomUUID } from 'node:crypto'
import { openKafkaLog } from '../../src/adapters/kafka/event-log.ts'
import { realClock } from './clock.ts'
import { commitOf, nextStep } from './log-samples.ts'

const [broker = '', prefix = '', partitions = '', leaseTtlMs = ''] = process.argv.slice(2)
const log = await openKafkaLog({
  kafka: { brokers: [broker] },
  prefix,
  partitions: Number(partitions),
  clock: realClock,
  newId: randomUUID,
  leaseTtlMs: Number(leaseTtlMs),
})
const stopping = new AbortController()
process.once('SIGTERM', () => stopping.abort())
await log.own(
  {
    id: randomUUID(),
    onLease: async (lease) => {
      process.stdout.write(`owns ${lease.partition}\n`)
      try {
        for (let { head } = lease; !lease.handover.aborted; ) {
          const step = nextStep(lease, head)
          await lease.commit(commitOf({ step }))
          process.stdout.write(`committed ${step.partition} ${step.id}\n`)
          head = step
          await realClock.sleep(5)
        }
      } catch (error) {
        process.stdout.write(`${error instanceof Error ? error.name : 'failed'} ${lease.partition}\n`)
      }
      await lease.release()
    },
  },
  stopping.signal,
)
await log.close()
