import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { FactsAnswer } from '../../src/cli/answers.ts'
import { Client } from '../../src/cli/client.ts'
import { drawGarment, drawPerson } from '../../src/pictures/draw.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts'
import { reaches } from '../support/rehearse.ts'
import { end, startServer } from '../support/server-process.ts'

/** The producer's own span. */
const CALLER = 'b7ad6b7169203331'
const newTrace = () => randomUUID().replaceAll('-', '')

const publish = async (client: Client, urls: readonly string[], traceId: string): Promise<string> => {
  const id = randomUUID()
  const order = {
    task_id: randomUUID(),
    channel: 'b2c',
    user_id: randomUUID(),
    session_id: id,
    image_urls: urls,
    request_id: 'req_traced',
    created_at: new Date().toISOString(),
  }
  await client.post('/v1/rehearsal/orders', order, z.unknown())
  const answer = await fetch(`${client.url}/v1/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-${CALLER}-01` },
    body: JSON.stringify(order),
  })
  expect(answer.status).toBe(202)
  return id
}

describe('a traced session, published to one process and worked on by the next', () => {
  const made = newTrace()
  const refused = newTrace()
  const ids: string[] = []
  let folder: string
  let collector: Awaited<ReturnType<typeof startOtlpReceiver>>
  let lines: string
  let facts: { type: string; traceparent?: string | undefined }[]

  const start = (roles: string) =>
    startServer(folder, {
      ROLES: roles,
      PARTITIONS: '8',
      PUBLIC_URL: 'http://wearon.test',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    })

  beforeAll(async () => {
    folder = await newDataFolder()
    collector = await startOtlpReceiver()
    const door = await start('api')
    const client = new Client(door.url)
    const pictures = [await client.upload(await drawPerson(1)), await client.upload(await drawGarment(2))]
    ids.push(await publish(client, pictures, made))
    ids.push(await publish(client, ['http://127.0.0.1/person.jpg?token=hunter2'], refused))
    lines = (await end(door)).stdout
    const worker = await start('api,worker,projector')
    const reader = new Client(worker.url)
    await reaches(reader, ids[0] ?? '', 'completed')
    await reaches(reader, ids[1] ?? '', 'refunded')
    facts = (await reader.get(`/v1/generations/${ids[0]}/facts`, FactsAnswer)).items
    await end(worker)
  }, 150_000)
  afterAll(async () => {
    collector.stop()
    await removeFolder(folder)
  })

  const spansOf = (traceId: string): ReceivedSpan[] => collector.spans.filter((span) => span.traceId === traceId)
  const named = (traceId: string, name: string) => spansOf(traceId).filter((span) => span.name === name)

  it('is one connected trace over both', () => {
    for (const traceId of [made, refused]) {
      const spans = spansOf(traceId)
      const known = new Set([CALLER, ...spans.map(({ spanId }) => spanId)])
      expect(spans.filter(({ parentSpanId = '' }) => !known.has(parentSpanId))).toEqual([])
      expect(new Set(spans.map(({ process }) => process)).size).toBe(2)
    }
  })

  it.each(['POST /v1/generations', 'publish', 'generation', 'provider preview', 'upload'])('shows %s once', (name) => {
    expect(named(made, name)).toHaveLength(1)
  })

  it('shows each picture that is fetched and prepared', () => {
    expect([named(made, 'picture fetch'), named(made, 'picture prepare')]).toMatchObject({
      0: { length: 2 },
      1: { length: 2 },
    })
  })

  it('shows commits: of one session in its trace, of several in one that links to each', () => {
    const commits = collector.spans.filter(({ name }) => name === 'step commit')
    const traced = commits.flatMap(({ traceId, links }) => [traceId, ...links.map((link) => link.traceId)])
    expect(traced).toEqual(expect.arrayContaining([made, refused]))
  })

  it('shows a refund, and by a code what went wrong before', () => {
    expect(named(refused, 'generation')).toMatchObject([{ status: { message: 'input_rejected' } }])
    expect(named(refused, 'refund')).toMatchObject([{ attributes: { 'session.id': ids[1] } }])
  })

  it('carries in its facts which request brought them about, and its id in the log', () => {
    expect(facts.length).toBeGreaterThan(2)
    const [published] = named(made, 'publish')
    for (const fact of facts) expect(fact.traceparent).toBe(`00-${made}-${published?.spanId}-01`)
    expect(lines).toContain(`"traceId":"${made}"`)
  })

  it('tells the collector no addresses, words or people', () => {
    expect(collector.text()).not.toMatch(/hunter2|person\.jpg|wearon\.test/)
  })
})
