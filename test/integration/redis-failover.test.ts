import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openProxy, type Proxy } from '../../chaos/proxy.ts'
import { openEmbedded } from '../../src/adapters/postgres/embedded.ts'
import { Client } from '../../src/cli/client.ts'
import { SessionId } from '../../src/events/ids.ts'
import { sessionTable } from '../../src/machines/compile.ts'
import { violations } from '../../src/projections/invariants.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { readEvidence } from '../support/evidence.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { publishDrawn, reaches } from '../support/rehearse.ts'
import { end, type Server, startServer, wearon } from '../support/server-process.ts'

const portOf = ({ url }: RedisServer) => Number(new URL(url).port)

describe.runIf(hasRedis)('a failover of Redis to a replica that had not heard the last steps', () => {
  let primary: RedisServer
  let replica: RedisServer
  let current: RedisServer
  let proxy: Proxy
  let folder: string
  let server: Server

  const complete = async () => {
    const client = new Client(server.url)
    const session = SessionId.parse(await publishDrawn(client))
    await reaches(client, session, 'completed')
    return session
  }

  beforeAll(async () => {
    primary = await startRedis()
    replica = await startRedis(['--replicaof', '127.0.0.1', `${portOf(primary)}`])
    current = primary
    proxy = await openProxy(() => portOf(current))
    folder = await newDataFolder()
    const redis = { REDIS_URL: `redis://127.0.0.1:${proxy.port}`, STORE: 'embedded', PARTITIONS: '1' }
    server = await startServer(folder, redis)
  })
  afterAll(async () => {
    await end(server)
    await removeFolder(folder)
    await proxy.close()
    await Promise.all([primary.stop(), replica.stop()])
  })

  it('stops the partition and says why, and one command repairs it from the archive', async () => {
    const kept = await complete()
    await eventually(() => expect(replica.cli('get', 'heard')).toBe(primary.cli('set', 'heard', 'yes') && 'yes\n'))
    replica.cli('replicaof', 'no', 'one')
    const lost = await complete()
    await primary.kill()
    current = replica
    proxy.cut()

    await eventually(async () => {
      const ready = await fetch(`${server.url}/readyz`)
      expect(await ready.json()).toMatchObject({ damaged_partitions: [0] })
      expect(ready.status).toBe(503)
    })
    expect(server.stdout()).toContain('partition stopped: its log is not what the archive knows; repair it')
    expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(/wearon_log_damage_total\{damage="\w+"\} [1-9]/)

    const repaired = await wearon(['repair', '0', '--json'], { DATA_DIR: folder })
    expect(repaired).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(repaired.stdout)).toMatchObject({ restored: 1, kept: 0, voided: 0 })
    const since = await complete()
    await end(server)
    const sql = await openEmbedded(folder)
    const evidence = await readEvidence(sql, new Set([kept, lost, since]))
    await sql.close()
    expect(violations(sessionTable, evidence, { atRest: true })).toEqual([])
    expect([...evidence.facts.keys()].toSorted()).toEqual([kept, lost, since].toSorted())
  })
})
