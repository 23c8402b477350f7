import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { end, type Server, startServer, wearon } from '../support/server-process.ts'

let folder: string
let elsewhere: string
let server: Server
beforeAll(async () => {
  folder = await newDataFolder()
  elsewhere = await newDataFolder()
  server = await startServer(folder, { POSE: 'off' })
})
afterAll(async () => {
  await end(server)
  await removeFolder(folder)
  await removeFolder(elsewhere)
})

const here = (...args: string[]) => wearon(args, { DATA_DIR: folder })
/** Another user of this machine, who cannot read the data folder. */
const there = (args: string[], env: Record<string, string> = {}) =>
  wearon([...args, '--url', server.url], { DATA_DIR: elsewhere, ...env })
const Made = z.object({ id: z.string(), key: z.string() })

it('an operator makes the first key on the machine itself, works on with the token of its folder, and revokes', async () => {
  expect(await there(['sessions', 'list'])).toMatchObject({ code: 0, stdout: 'no sessions\n' })
  const made = await here('keys', 'create', '--name', 'support', '--scope', 'read', 'operate', '--json')
  const { id, key } = Made.parse(JSON.parse(made.stdout))
  expect(statSync(join(folder, 'operator-token')).mode & 0o777).toBe(0o600)

  const refused = await there(['sessions', 'list'])
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('wearon -- keys create --name')])
  expect(await there(['sessions', 'list'], { WEARON_API_KEY: key })).toMatchObject({ code: 0 })
  const lacking = await there(['refunds', 'list'], { WEARON_API_KEY: key })
  expect([lacking.code, lacking.stderr]).toEqual([1, expect.stringContaining('needs the scope finance')])

  const listed = await here('keys', 'list')
  expect(listed.stdout).toContain('support')
  expect(listed.stdout).not.toContain(key.slice(20))
  expect(await here('keys', 'revoke', key)).toMatchObject({ code: 0, stdout: expect.stringContaining(id) as unknown })
  expect(await there(['sessions', 'list'], { WEARON_API_KEY: key })).toMatchObject({ code: 1 })

  const audit = await here('audit', '--action', 'key')
  expect(audit.stdout).toMatch(/local operator +key\.revoke +[0-9a-f]{16} +done/)
  expect(audit.stdout).toMatch(/loopback +key\.create +done/)
}, 60_000)
