import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SessionAnswer } from '../../src/cli/answers.ts'
import { Client } from '../../src/cli/client.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { hasKafka, type KafkaServer, startKafka } from '../support/kafka-server.ts'
import { publishDrawn, reaches } from '../support/rehearse.ts'
import { end, type Server, startServer } from '../support/server-process.ts'

describe.runIf(hasKafka)('a process on Kafka', () => {
  let kafka: KafkaServer
  let folder: string
  let server: Server

  const start = () =>
    startServer(folder, { EVENT_LOG: 'kafka', KAFKA_BROKERS: kafka.broker, STORE: 'embedded', PARTITIONS: '8' })

  beforeAll(async () => {
    kafka = await startKafka()
    folder = await newDataFolder()
    server = await start()
  })
  afterAll(async () => {
    await end(server)
    await removeFolder(folder)
    await kafka.stop()
  })

  it('takes a task to its picture', async () => {
    const client = new Client(server.url)
    expect((await reaches(client, await publishDrawn(client), 'completed')).image_url).toContain('/objects/')
  })

  it('is replaced after a kill -9 by one that goes on where it was', async () => {
    const earlier = new Client(server.url)
    const done = await publishDrawn(earlier)
    await reaches(earlier, done, 'completed')
    const running = await publishDrawn(earlier)
    server.child.kill('SIGKILL')
    await server.ended
    server = await start()
    const client = new Client(server.url)
    await reaches(client, done, 'completed')
    // Its pictures lay under the address of the process that was killed: whichever end it reaches, it reaches one.
    await eventually(async () => {
      const { state } = await client.get(`/v1/generations/${running}`, SessionAnswer)
      expect(['completed', 'refunded']).toContain(state)
    })
    await reaches(client, await publishDrawn(client), 'completed')
    await eventually(async () => {
      const health = (await (await fetch(`${server.url}/health`)).json()) as Record<string, unknown>
      expect(health).toMatchObject({ partitions: { of: 8, held: 8, running: 8, damaged: [] } })
    })
  })
})
