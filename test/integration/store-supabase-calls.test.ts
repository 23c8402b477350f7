import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openServer } from '../../src/adapters/postgres/server.ts'
import { Refused } from '../../src/adapters/shared/database/functions.ts'
import { repeatingCalls, rules } from '../../src/adapters/supabase/calls.ts'
import { type CallOnce, supabaseCalls } from '../../src/adapters/supabase/client.ts'
import { type FailureOfCall, SupabaseError } from '../../src/adapters/supabase/errors.ts'
import { openSupabaseStore } from '../../src/adapters/supabase/store.ts'
import { ArchiveRefused } from '../../src/projections/store.ts'
import { realClock } from '../support/clock.ts'
import { quietEnvironment } from '../support/environment.ts'
import { completed, requested, started } from '../support/facts.ts'
import { hasPostgres, startPostgres } from '../support/postgres-server.ts'
import { type Fault, startPostgrest } from '../support/postgrest-server.ts'
import { startProject } from '../support/postgrest-world.ts'
import { Chain, factsOf, LOG, newSession, newUser, order, type StoreWorld } from '../support/store-world.ts'

const TIMEOUT_MS = 5_000
const SHORT_MS = 200

/** A function of ours, its arguments' names, and whether it says of itself that it writes nothing. */
interface Catalogued {
  readonly name: string
  readonly args: readonly string[]
  readonly stable: boolean
  readonly set: boolean
}

const failureOf = async (call: Promise<unknown>): Promise<unknown> => {
  try {
    return await call
  } catch (error) {
    return error
  }
}
const codeOf = async (call: Promise<unknown>) => {
  const error = await failureOf(call)
  return error instanceof SupabaseError || error instanceof Refused ? error.code : error
}

describe.runIf(hasPostgres)('calls through PostgREST', () => {
  let project: Awaited<ReturnType<typeof startProject>>
  let call: CallOnce
  let functions: Catalogued[]
  const { signal } = new AbortController()
  const env = quietEnvironment(realClock)
  const repeating = () => repeatingCalls(call, env, signal)
  const as = (key: string) => supabaseCalls({ url: project.postgrest.url, key })
  const requestsOf = (name: string) => project.postgrest.requests.filter((request) => request.name === name).length

  beforeAll(async () => {
    project = await startProject()
    call = supabaseCalls(project.access)
    functions = await project.sql.query<Catalogued>(
      `select proname as name, coalesce(proargnames, '{}') as args, provolatile = 's' as stable, proretset as set
       from pg_proc where pronamespace = 'public'::regnamespace and proname like 'wearon\\_%'`,
    )
  })
  afterAll(() => project.close())

  describe('keys', () => {
    it('sends a secret key as apikey alone, and a legacy one as Authorization too', async () => {
      const { secret, service } = project.postgrest.keys
      for (const key of [secret, service]) {
        expect(await as(key)('wearon_archive_head', {}, TIMEOUT_MS)).toBe(0)
        const headers = project.postgrest.requests.at(-1)?.headers
        expect(headers?.['apikey']).toBe(key)
        expect(headers?.authorization).toBe(key === service ? `Bearer ${key}` : undefined)
      }
    })

    it.each(['anon', 'publishable', 'authenticated'] as const)('lets %s call none of our functions', async (key) => {
      expect(functions.length).toBeGreaterThan(20)
      const person = as(project.postgrest.keys[key])
      for (const { name, args } of functions) {
        const nothing = Object.fromEntries(args.map((argument) => [argument, null]))
        expect([name, await codeOf(person(name, nothing, TIMEOUT_MS))]).toEqual([name, 'not_allowed'])
      }
    })

    it('says that a key is expired or none of this project', async () => {
      for (const key of [project.postgrest.keys.expired, 'sb_secret_of_another_project'])
        expect(await codeOf(as(key)('wearon_archive_head', {}, TIMEOUT_MS))).toBe('key_refused')
    })
  })

  describe('failures', () => {
    const answers: [what: string, fault: Fault, code: FailureOfCall][] = [
      ['a lost answer', 'lose_answer', 'interrupted'],
      ['silence', 'hang', 'timed_out'],
      ['a pool without a free connection', pgrst(504, 'PGRST003'), 'unavailable'],
      ['no list of functions yet', pgrst(503, 'PGRST002'), 'unavailable'],
      ['a lost connection to the database', pgrst(503, 'PGRST001'), 'failed'],
      ['a database that shuts down', pgrst(503, '57P01'), 'failed'],
      ['the statement timeout', pgrst(500, '57014'), 'cancelled'],
      ['a gateway without its upstream', { status: 502, body: '<html>Bad gateway</html>' }, 'failed'],
      ['too many calls', { status: 429 }, 'throttled'],
      ['too large a body', { status: 413 }, 'too_large'],
      ['an empty 404', { status: 404 }, 'unreadable'],
      ['a page', { status: 200, body: '<html>Welcome</html>' }, 'unreadable'],
      ['a redirect', { status: 301, headers: { location: 'https://elsewhere.example/' } }, 'redirected'],
      ['what nobody foresaw', { status: 418 }, 'unexpected'],
    ]
    it.each(answers)('takes %s for what it is', async (_, fault, code) => {
      project.postgrest.fail(fault)
      expect(await codeOf(call('wearon_archive_head', {}, fault === 'hang' ? SHORT_MS : TIMEOUT_MS))).toBe(code)
    })

    it('tells an address where nobody answers', async () => {
      const gone = await startPostgrest('postgres://localhost/none')
      await gone.close()
      const nobody = supabaseCalls({ ...project.access, url: gone.url })
      expect(await codeOf(nobody('wearon_archive_head', {}, TIMEOUT_MS))).toBe('unreachable')
    })

    it('names what applies the migrations when a function is missing', async () => {
      const error = await failureOf(call('wearon_of_tomorrow', { p_one: 1 }, TIMEOUT_MS))
      expect(error).toMatchObject({ code: 'migrations_missing' })
      expect(String(error)).toContain('supabase db push')
    })

    it('takes what the database says for a refusal, without the data that it speaks of', async () => {
      const session = newSession()
      const bad = { p_log: LOG, p_steps: [new Chain().step(...factsOf(session, [requested()]))] }
      await call('wearon_archive_append', bad, TIMEOUT_MS)
      const again = { p_log: LOG, p_steps: [new Chain(1).step(...factsOf(session, [requested()]))] }
      const spoken = 'Shopper credits not found for store_id: 1, shopper_email: anna@example.com'
      project.postgrest.fail({ status: 400, body: JSON.stringify({ code: 'P0001', message: spoken }) })
      const texts = [
        await failureOf(call('wearon_archive_head', {}, TIMEOUT_MS)),
        await failureOf(call('wearon_archive_append', again, TIMEOUT_MS)),
        await failureOf(call('wearon_archive_session', { p_session: 'anna@example.com' }, TIMEOUT_MS)),
      ]
      expect(texts).toMatchObject([{ code: 'P0001' }, { code: '23505' }, { code: '22P02' }])
      for (const text of texts) expect(String(text)).not.toMatch(new RegExp(`${session}|example|127\\.0|sb_secret`))
    })
  })

  describe('repeats', () => {
    let world: StoreWorld
    beforeEach(async () => {
      world = await project.openWorld()
    })

    it('has a rule for every function, and takes for readers those that write nothing', () => {
      const readers = functions.filter(({ stable }) => stable).map(({ name }) => name)
      expect(Object.keys(rules).toSorted()).toEqual(functions.map(({ name }) => name).toSorted())
      const reading = Object.entries(rules).filter(([, { because }]) => because === 'it only reads')
      expect(reading.map(([name]) => name).toSorted()).toEqual(readers.toSorted())
    })

    it('lets the database work as long as it waits for an answer itself, and no longer', async () => {
      const patient = await project.sql.query<{ name: string }>(
        `select proname as name from pg_proc where proconfig @> array['statement_timeout=55s'] order by proname`,
      )
      const long = Object.entries(rules).filter(([, { timeoutMs = 0 }]) => timeoutMs > 55_000)
      expect(patient.map(({ name }) => name)).toEqual(long.map(([name]) => name).toSorted())
    })

    it('reads again after a lost answer', async () => {
      const before = requestsOf('wearon_archive_head')
      project.postgrest.fail('lose_answer', { status: 502 })
      expect(await repeating()('wearon_archive_head', {})).toBe(0)
      expect(requestsOf('wearon_archive_head') - before).toBe(3)
    })

    it('pays once when the answer to a refund is lost, and answers what was paid', async () => {
      const store = world.open()
      await store.history.admit({ log: LOG, partition: 0, epoch: { number: 1, token: 'one' }, head: 0 })
      const user = newUser()
      const placed = order(user)
      await world.producer.order(placed)
      project.postgrest.fail('lose_answer', 'lose_answer')
      expect(await store.platform.refund(placed.sessionId, { partition: 0, epoch: 1 })).toMatchObject({
        kind: 'issued',
        data: { how: 'paid' },
      })
      expect(await world.refunds(user)).toHaveLength(1)
      expect(await world.balance(user)).toBe(10)
    })

    it('keeps steps once when the answer to an append is lost', async () => {
      const store = world.open()
      const step = new Chain().step(...factsOf(newSession(), [requested(), started(), completed()]))
      project.postgrest.fail('lose_answer')
      expect(await store.archive.append(LOG, [step])).toBe('moved')
      expect(await store.archive.head()).toBe(3)
    })

    it('refuses an append that is too large for one call, so that its steps are sent one by one', async () => {
      project.postgrest.fail({ status: 413 })
      await expect(world.open().archive.append(LOG, [new Chain().step()])).rejects.toThrow(ArchiveRefused)
    })

    it('does not repeat what may not be, unless nothing happened for sure', async () => {
      const begin = () => repeating()('wearon_rebuild_begin', { p_name: 'sessions' })
      const before = requestsOf('wearon_rebuild_begin')
      project.postgrest.fail('lose_answer')
      expect(await codeOf(begin())).toBe('interrupted')
      expect(requestsOf('wearon_rebuild_begin') - before).toBe(1)
      project.postgrest.fail(pgrst(503, 'PGRST002'), pgrst(500, '40P01'))
      await begin()
      expect(requestsOf('wearon_rebuild_begin') - before).toBe(4)
    })

    it('waits as long as it is told to, and gives up at once when that is too long', async () => {
      const before = requestsOf('wearon_archive_head')
      project.postgrest.fail({ status: 429, headers: { 'retry-after': '1' } })
      const startedAt = performance.now()
      await repeating()('wearon_archive_head', {})
      expect(performance.now() - startedAt).toBeGreaterThan(990)
      project.postgrest.fail({ status: 429, headers: { 'retry-after': '600' } })
      expect(await codeOf(repeating()('wearon_archive_head', {}))).toBe('throttled')
      expect(requestsOf('wearon_archive_head') - before).toBe(3)
    })

    it('gives up after some repeats', async () => {
      const before = requestsOf('wearon_archive_head')
      project.postgrest.fail(...Array.from({ length: 5 }, () => pgrst(503, 'PGRST002')))
      expect(await codeOf(repeating()('wearon_archive_head', {}))).toBe('unavailable')
      expect(requestsOf('wearon_archive_head') - before).toBe(5)
    })
  })

  it('loses nothing to the limit of rows: an answer is one value', async () => {
    expect(functions.filter(({ set }) => set)).toEqual([])
    const store = (await project.openWorld()).open()
    const facts = Array.from({ length: 1_200 }, () => factsOf(newSession(), [requested()])).flat()
    await store.archive.append(LOG, [new Chain().step(...facts)])
    expect(await store.archive.read(0, 1_500)).toHaveLength(1_200)
  })
})

describe.runIf(hasPostgres)('a project without our migrations', () => {
  it('lacks all of them, and says so', async () => {
    const server = await startPostgres()
    const url = await server.database()
    const sql = openServer({ url })
    const postgrest = await startPostgrest(url)
    const store = openSupabaseStore(
      { url: postgrest.url, key: postgrest.keys.secret },
      { env: quietEnvironment(realClock), rowsOwner: 'platform' },
    )
    await sql.script('create role service_role')
    expect(await store.appliedMigrations()).toEqual([])
    await store.close()
    await postgrest.close()
    await sql.close()
    await server.stop()
  })
})

/** An error as PostgREST gives it. */
function pgrst(status: number, code: string): Fault {
  return { status, body: JSON.stringify({ code, message: 'as it says', details: null, hint: null }) }
}
