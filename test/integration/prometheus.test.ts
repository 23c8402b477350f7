import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Client } from '../../src/cli/client.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { hasPrometheus, type PrometheusServer, promtool, startPrometheus } from '../support/prometheus-server.ts'
import { publishDrawn, reaches } from '../support/rehearse.ts'
import { end, type Server, startServer } from '../support/server-process.ts'

const OPS = join(import.meta.dirname, '../../ops')
const RULES = join(OPS, 'rules/wearon.yml')

/** A server, a Prometheus and a session, on a machine that does much else. */
const START_MAX_MS = 120_000

const Targets = z.object({ activeTargets: z.array(z.object({ health: z.string(), lastError: z.string() })) })
const Groups = z.object({
  groups: z.array(
    z.object({ rules: z.array(z.object({ name: z.string(), health: z.string(), state: z.string().optional() })) }),
  ),
})
const Vector = z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) })

/** Our configuration, asking one server and not a name, and not four times a minute. */
const configurationFor = async (url: string): Promise<string> => {
  const text = await readFile(join(OPS, 'prometheus.yml'), 'utf8')
  const [head, dns] = text.split('    dns_sd_configs:\n')
  if (head === undefined || dns === undefined) throw new Error('ops/prometheus.yml names its targets otherwise')
  const target = `    static_configs:\n      - { targets: ['${new URL(url).host}'] }\n`
  return `${head}${target}`.replaceAll('15s', '1s').replaceAll('10s', '1s').replace('rules/wearon.yml', RULES)
}

describe.runIf(hasPrometheus)('the alert rules', () => {
  it('each rise over what is sick, and keep quiet about what is well', () => {
    expect(promtool(['test', 'rules', join(OPS, 'rules/wearon.test.yml')])).toMatchObject({ ok: true })
  })

  it('are configured as Prometheus reads it', () => {
    expect(promtool(['check', 'config', join(OPS, 'prometheus.yml')])).toMatchObject({ ok: true })
  })
})

describe.runIf(hasPrometheus)('a Prometheus with our configuration', () => {
  let server: Server
  let prometheus: PrometheusServer
  let folder: string
  beforeAll(async () => {
    folder = await newDataFolder()
    server = await startServer(folder)
    prometheus = await startPrometheus(await configurationFor(server.url))
    const client = new Client(server.url)
    await reaches(client, await publishDrawn(client), 'completed')
  }, START_MAX_MS)
  afterAll(async () => {
    await prometheus.stop()
    await end(server)
    await removeFolder(folder)
  })

  it('reads what the system says of itself', async () => {
    const value = async (query: string) => {
      const { result } = Vector.parse(await prometheus.ask(`query?query=${encodeURIComponent(query)}`))
      return Number(result[0]?.value[1])
    }
    await eventually(async () => expect(await value('wearon_facts_total{type="generation.completed"}')).toBe(1))
    expect(await value('wearon_queue_wait_seconds_count')).toBe(1)
    expect(await value('sum(wearon_partitions_held)')).toBeGreaterThan(0)
    expect(await value('max(wearon_books_balanced)')).toBe(1)
    // Looked at four times a minute.
    await eventually(async () => {
      expect(await value('count(wearon_partition_unread_messages)')).toBe(await value('sum(wearon_partitions_held)'))
      expect(await value('sum(wearon_partition_unread_messages + wearon_partition_unarchived_steps)')).toBe(0)
    })
    const { activeTargets } = Targets.parse(await prometheus.ask('targets'))
    expect(activeTargets).toEqual([{ health: 'up', lastError: '' }])
  })

  it('evaluates every rule, and none of them wakes anybody over a system that is well', async () => {
    const rules = await eventually(async () => {
      const { groups } = Groups.parse(await prometheus.ask('rules'))
      const all = groups.flatMap((group) => group.rules)
      // Before it has asked the server for the first time, it misses it.
      expect(all.filter(({ health, state = 'inactive' }) => health !== 'ok' || state !== 'inactive')).toEqual([])
      return all
    })
    expect(rules.length).toBeGreaterThan(30)
  })

  it('finds nothing to mend in the metrics', async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(promtool(['check', 'metrics'], metrics)).toEqual({ ok: true, said: '' })
  })
})
