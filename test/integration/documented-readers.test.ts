import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { openKafkaLog } from '../../src/adapters/kafka/event-log.ts'
import { openConnection } from '../../src/adapters/redis/connection.ts'
import { openRedisLog } from '../../src/adapters/redis/event-log.ts'
import type { EventLog, PartitionLease, Step } from '../../src/machines/ports/event-log.ts'
import { realClock } from '../support/clock.ts'
import { documented, type RunningProgram, runProgram } from '../support/documented.ts'
import { eventually } from '../support/eventually.ts'
import { hasKafka, startKafka } from '../support/kafka-server.ts'
import { commitOf, nextStep } from '../support/log-samples.ts'
import { startWorker } from '../support/log-worker.ts'
import { hasRedis, startRedis } from '../support/redis-server.ts'

const OPTIONS = { partitions: 2, clock: realClock, newId: randomUUID }

/** A killed consumer is out of its group sooner than brokers elsewhere allow: the test does not wait for it. */
const QUICK = 'sessionTimeout: 1_500, heartbeatInterval: 300'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** The sessions whose facts were printed; kafkajs prints lines of JSON of its own. */
const printed = ({ lines }: RunningProgram) =>
  lines.filter((line) => !line.startsWith('{')).map((line) => line.split(' ')[0])
const sessionsOf = (steps: readonly Step[]) => steps.flatMap(({ facts }) => facts.map(({ sessionId }) => sessionId))

/** Follows partition 0 with the documented program, kills it in between, and holds it to the promise that nothing is skipped. */
const followAndRestart = async (log: EventLog, program: string, env: Readonly<Record<string, string>>) => {
  const worker = startWorker(log)
  const lease = await eventually(() => worker.lease(0))
  const start = () => {
    const running = runProgram(program, env)
    closing.push(() => running.kill())
    return running
  }
  const first = start()
  const early = await append(lease, null, 3)
  await eventually(() => expect(printed(first)).toEqual(sessionsOf(early)))
  await eventually(async () => expect(await log.readers.list()).toMatchObject([{ name: 'my-reader', behind: 0 }]))
  await first.kill()

  const late = await append(lease, early.at(-1) ?? null, 3)
  await lease.trim(6)
  expect(await log.journal(new Map([[0, 0]]), 10)).toEqual(late)
  const second = start()
  await eventually(() => expect(printed(second)).toEqual(sessionsOf(late)))
  await eventually(async () => expect(await log.readers.list()).toMatchObject([{ behind: 0 }]))
  await lease.trim(6)
  expect(await log.journal(new Map([[0, 0]]), 10)).toEqual([])
}

const append = async (lease: PartitionLease, head: Step | null, steps: number): Promise<Step[]> => {
  const made: Step[] = []
  for (let nth = 0; nth < steps; nth++) {
    const step = nextStep(lease, made.at(-1) ?? head)
    await lease.commit(commitOf({ step }))
    made.push(step)
  }
  return made
}

describe('the reader that docs/events.md shows misses nothing over a restart, and lets the journal be trimmed behind it', () => {
  it.runIf(hasRedis)('on Redis', async () => {
    const server = await startRedis()
    const redis = await openConnection({ url: server.url, onWarning: () => undefined })
    const log = await openRedisLog({ ...OPTIONS, redis })
    closing.push(
      () => server.stop(),
      () => redis.close(),
      () => log.close(),
    )
    await followAndRestart(log, documented('On Redis Streams'), { REDIS_URL: server.url })
  })

  it.runIf(hasKafka)('on Kafka', async () => {
    const server = await startKafka()
    const log = await openKafkaLog({ ...OPTIONS, kafka: { brokers: [server.broker] } })
    closing.push(
      () => server.stop(),
      () => log.close(),
    )
    await followAndRestart(log, documented('On Kafka').replace('sessionTimeout: 6_000', QUICK), {
      KAFKA_BROKERS: server.broker,
    })
  })
})
