import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Client } from '../../src/cli/client.ts'
import { newProgram } from '../../src/cli/program.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { publishDrawn, reaches } from '../support/rehearse.ts'
import { end, type Server, startServer, wearon } from '../support/server-process.ts'

const START_MAX_MS = 120_000

/** A server with one session that completed, and the command line beside it. */
describe('the command line beside a server', () => {
  let folder: string
  let server: Server
  let session: string
  beforeAll(async () => {
    folder = await newDataFolder()
    server = await startServer(folder, { PARTITIONS: '4' })
    session = await publishDrawn(new Client(server.url))
    await reaches(new Client(server.url), session, 'completed')
  }, START_MAX_MS)
  afterAll(async () => {
    await end(server)
    await removeFolder(folder)
  })

  let printed: string[]
  beforeEach(() => {
    printed = []
    vi.spyOn(console, 'log').mockImplementation((text: string) => void printed.push(text))
  })
  afterEach(() => {
    process.exitCode = undefined
  })
  /** In this process: starting another for each command would take a minute. */
  const run = async (...args: string[]): Promise<string> => {
    printed = []
    await newProgram().parseAsync([...args, '--url', server.url], { from: 'user' })
    return printed.join('\n')
  }

  /** What each command is given beside --json. Only those that serve, play, change a database or start tools are not here. */
  const asked = (): Record<string, string[]> => ({
    'sessions list': [],
    'sessions show': [session],
    'sessions replay': [session],
    'refunds list': [],
    'refunds show': [session],
    reconcile: [],
    'backfill run': ['--dry-run'],
    'backfill list': [],
    'orphans list': [],
    'projections status': [],
    'projections rebuild': ['sessions', '--wait'],
    pause: ['--user', randomUUID(), '--why', 'a test'],
    resume: ['--user', randomUUID()],
    pauses: [],
    'dead list': [],
    'dead replay': ['--all'],
    'readers list': [],
    'keys list': [],
    audit: [],
    publish: ['--charge'],
    erase: ['--user', randomUUID(), '--by', 'a test'],
  })

  it('answers every command with one JSON document', async () => {
    for (const [path, args] of Object.entries(asked())) {
      const text = await run(...path.split(' '), ...args, '--json')
      expect.soft(() => JSON.parse(text) as unknown, `${path}: ${text}`).not.toThrow()
    }
  }, 60_000)

  it('has a line here for every command that asks a server, but for those that need what is not there', () => {
    const below = (command: Command, path: string[]): [string, Command][] =>
      command.commands.flatMap((one) => [
        [[...path, one.name()].join(' '), one] as [string, Command],
        ...below(one, [...path, one.name()]),
      ])
    const asking = below(newProgram(), []).filter(([, { options }]) => options.some(({ long }) => long === '--url'))
    const missing = asking.map(([path]) => path).filter((path) => !(path in asked()))
    expect(missing.toSorted()).toEqual([
      'backfill approve',
      'dead discard',
      'dead show',
      'handback',
      'keys create',
      'keys revoke',
      'orphans settle',
      'readers remove',
      'refunds retry',
      'refunds settle',
      'repair',
    ])
  })

  it('replays a session: where each fact left it, and whether its row says the same', async () => {
    const text = await run('sessions', 'replay', session)
    expect(text).toMatch(/^queued +\+0.00 s +generation.requested/)
    expect(text).toMatch(/\ncompleted .*\nits row says the same: completed$/)
    const until = JSON.parse(await run('sessions', 'replay', session, '--until', '2', '--json')) as object
    expect(until).toMatchObject({ state: 'processing', row_state: 'completed', context: { attempt: 1 } })
    expect(process.exitCode).toBeUndefined()
  })

  it('says in one line what went wrong, and what to do', async () => {
    const here = { DATA_DIR: folder }
    const unknown = await wearon(['sessions', 'show', randomUUID()], here)
    expect(unknown).toMatchObject({ code: 1, stdout: '' })
    expect(unknown.stderr).toMatch(/^wearon: .*not_found.*\n$|^wearon: .*\(\w+\)\n$/)
    const away = await wearon(['sessions', 'list', '--url', 'http://127.0.0.1:1'], here)
    expect([away.code, away.stderr]).toEqual([1, expect.stringContaining('no server answers at http://127.0.0.1:1')])
    const typo = await wearon(['session', 'list'], here)
    expect([typo.code, typo.stderr]).toEqual([2, expect.stringContaining('Did you mean sessions?')])
  }, 60_000)

  it('doctor finds the server and asks it how it is; replay leaves its database alone', async () => {
    const { code, stdout } = await wearon(['doctor'], { DATA_DIR: folder })
    expect(code).toBe(0)
    expect(stdout).toContain(`ok    server             at ${server.url} is ready`)
    expect(stdout).toContain('warn  api keys           none: the API answers this machine alone: npm run')
    const replay = await wearon(['replay'], { DATA_DIR: folder })
    expect([replay.code, replay.stderr]).toEqual([
      1,
      expect.stringContaining(`is in use by process ${server.child.pid}`),
    ])
  }, 60_000)
})
