import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openProxy, type Proxy } from '../../chaos/proxy.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { complete, holdsAll, isDamaged, repairOne } from '../support/lost-tail.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { end, type Server, startServer } from '../support/server-process.ts'

const portOf = ({ url }: RedisServer) => Number(new URL(url).port)

describe.runIf(hasRedis)('a failover of Redis to a replica that had not heard the last steps', () => {
  let primary: RedisServer
  let replica: RedisServer
  let current: RedisServer
  let proxy: Proxy
  let folder: string
  let server: Server

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
    const kept = await complete(server)
    await eventually(() => expect(replica.cli('get', 'heard')).toBe(primary.cli('set', 'heard', 'yes') && 'yes\n'))
    replica.cli('replicaof', 'no', 'one')
    const lost = await complete(server)
    await primary.kill()
    current = replica
    proxy.cut()

    await isDamaged(server, [0])
    expect(server.stdout()).toContain('partition stopped: its log is not what the archive knows; repair it')
    expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(/wearon_log_damage_total\{damage="\w+"\} [1-9]/)

    await repairOne(folder)
    const since = await complete(server)
    await end(server)
    await holdsAll(folder, [kept, lost, since])
  })
})
