import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { end, type Server, startServer, wearon } from '../support/server-process.ts'

interface Listed {
  readonly items: readonly { readonly id: string; readonly state: string; readonly attempts: number }[]
}

describe.runIf(hasRedis)('an operator on the command line', () => {
  let redis: RedisServer
  let folder: string
  let server: Server

  beforeAll(async () => {
    redis = await startRedis()
    folder = await newDataFolder()
    server = await startServer(folder, { REDIS_URL: redis.url, STORE: 'embedded', PARTITIONS: '4' })
  })
  afterAll(async () => {
    await end(server)
    await removeFolder(folder)
    await redis.stop()
  })

  const ask = (...args: string[]) => wearon(['dead', ...args], { DATA_DIR: folder })
  const listed = async (...args: string[]) =>
    (JSON.parse((await ask('list', '--json', ...args)).stdout) as Listed).items
  const push = (...texts: string[]) => redis.cli('lpush', 'wearon:tasks:generation', ...texts)

  it('sees what nobody could read, replays it, sees it die again, and discards it', async () => {
    expect((await ask('list')).stdout).toBe('no dead letters\n')
    push('{"broken', 'grün')
    const letters = await eventually(async () => {
      const found = await listed()
      expect(found).toHaveLength(2)
      return found
    })
    const shown = await Promise.all(letters.map(({ id }) => ask('show', id)))
    expect(shown.map(({ stdout }) => stdout.trim().split('\n').at(-1))).toEqual(
      expect.arrayContaining(['{"broken', 'grün']),
    )

    const replayed = await ask('replay', '--all', '--by', 'Ada')
    expect(replayed.code).toBe(0)
    expect(replayed.stdout.trim().split('\n')).toHaveLength(2)
    await eventually(async () =>
      expect((await listed('--state', 'waiting')).map(({ attempts }) => attempts)).toEqual([2, 2]),
    )

    const [one, other] = letters.map(({ id }) => id)
    expect(await ask('discard', one ?? '', '--reason', 'the producer was mended')).toMatchObject({ code: 0 })
    expect((await ask('show', one ?? '')).stdout).toContain('the producer was mended')
    expect(await listed('--state', 'discarded')).toMatchObject([{ id: one }])
    const refused = await ask('replay', one ?? '', other ?? '')
    expect(refused.code).toBe(1)
    expect(refused.stdout).toContain('letter_discarded')
    expect(refused.stdout).toContain(`${other}  replayed`)
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(metrics).toContain('wearon_dead_letter_actions_total{action="replay"} 3')
    expect(metrics).toContain('wearon_dead_letters{state="waiting"}')
  })

  it('is told what a command lacks', async () => {
    expect((await ask('replay')).stderr).toContain('name letters, or take --all')
    expect((await ask('discard', '0-1')).stderr).toContain('--reason')
    expect((await ask('show', 'x')).stderr).toContain('is not the id of a letter')
  })
})
