import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { line } from '../../src/http/csv.ts'
import { cancelled, failed, refundRequested, requested, retrying, START_MS, settled, waived } from '../support/facts.ts'
import { json, newSession, openWorld, type World } from './http-world.ts'

let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close(0))

const codeOf = async (response: Response) => [response.status, (await json(response))['code']]

const owed = async (...more: Parameters<World['happen']>[1][]) => {
  const id = newSession()
  await world.happen(id, requested(), failed('internal', 0), refundRequested(), ...more)
  await world.project()
  return id
}
const post = (path: string, body: object) =>
  fetch(world.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
const settlement = { by: 'ada', how: 'paid_outside', why: 'the shop paid' }

describe('POST /v1/refunds/:id/settle', () => {
  test('hands the settlement to the session’s owner', async () => {
    const id = await owed()
    const response = await post(`/v1/refunds/${id}/settle`, settlement)
    expect([response.status, response.headers.get('location')]).toEqual([202, `/v1/refunds/${id}`])
    expect(world.published()).toEqual([
      { command: 'refund.settle', sessionId: id, ...settlement, by: { role: 'operator', name: 'ada' } },
    ])
  })

  test('is refused for what was decided, what nobody knows, and without who, how and why', async () => {
    const decided = await owed(settled())
    expect(await codeOf(await post(`/v1/refunds/${decided}/settle`, settlement))).toEqual([409, 'refund_decided'])
    expect(await codeOf(await post(`/v1/refunds/${newSession()}/settle`, settlement))).toEqual([404, 'session_unknown'])
    const id = await owed()
    for (const fault of [{ by: '' }, { how: 'somehow' }, { why: '' }, { credits: 2 }])
      expect(await codeOf(await post(`/v1/refunds/${id}/settle`, { ...settlement, ...fault }))).toEqual([
        400,
        'invalid_request',
      ])
    expect(world.published()).toEqual([])
  })

  test('POST …/retry asks for another try at once', async () => {
    const id = await owed(retrying(3, START_MS))
    expect((await post(`/v1/refunds/${id}/retry`, { by: 'ada' })).status).toBe(202)
    expect(world.published()).toMatchObject([{ command: 'refund.retry', sessionId: id }])
  })
})

describe('GET /v1/refunds', () => {
  test('filters by state, channel, owner, age and time', async () => {
    const id = await owed()
    await owed(waived('overage'))
    const found = async (query: string) =>
      ((await json(await world.get(`/v1/refunds?${query}`)))['items'] as object[]).length
    expect(await found('')).toBe(2)
    expect(await found('state=owed&channel=b2b&age=7d')).toBe(1)
    expect(await found('channel=b2c')).toBe(0)
    expect(await found('owner=0190B5F8-0000-7000-8000-00000000000A')).toBe(2)
    expect(await found('since=2026-01-15&until=2026-01-16')).toBe(2)
    expect(await found('until=2026-01-15')).toBe(0)
    for (const query of ['age=1y', 'owner=me', 'since=now'])
      expect((await world.get(`/v1/refunds?${query}`)).status).toBe(400)
    const { refund, facts } = await json(await world.get(`/v1/refunds/${id}`))
    expect(refund).toMatchObject({ session_id: id, state: 'owed', settlement: null })
    expect(facts).toHaveLength(3)
    expect((await world.get(`/v1/refunds/${newSession()}`)).status).toBe(404)
  })

  test('comes as CSV, all pages of it, when asked for', async () => {
    await world.happen(newSession(), requested(), cancelled(), refundRequested(), waived())
    for (const accept of ['text/csv', 'application/json']) {
      const response = await world.get(`/v1/refunds${accept === 'text/csv' ? '' : '?format=csv'}`, { accept })
      expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present')
      expect(response.headers.get('content-disposition')).toBe('attachment; filename="refunds.csv"')
      expect(await response.text()).toMatch(/^session_id,channel,owner_id,request_id,state,since,tries,/)
    }
    const ids = [await owed(), await owed()]
    const rows = (await (await world.get('/v1/refunds?format=csv&state=owed')).text()).split('\r\n')
    expect(rows).toHaveLength(ids.length + 2)
    for (const id of ids) expect(rows.some((row) => row.startsWith(`${id},b2b,`))).toBe(true)
    expect((await world.get('/v1/refunds?format=json', { accept: 'text/csv' })).headers.get('content-type')).toMatch(
      /json/,
    )
  })

  test('as CSV is 503 before anything is sent when the store is down', async () => {
    const refunds = () => Promise.reject(new Error('password of admin'))
    await world.close(0)
    const { queries } = world.store
    world = await openWorld({ queries: { ...queries, refunds } })
    expect(await codeOf(await world.get('/v1/refunds?format=csv'))).toEqual([503, 'unavailable'])
  })

  test('as CSV is cut off when a later page fails: nobody takes a part for the whole', async () => {
    let pages = 0
    const refunds = async () => {
      pages += 1
      if (pages > 1) throw new Error('gone')
      return { items: [], next: 'more' }
    }
    await world.close(0)
    world = await openWorld({ queries: { ...world.store.queries, refunds } })
    const response = await world.get('/v1/refunds?format=csv')
    await expect(response.text()).rejects.toThrow('terminated')
    await expect.poll(() => world.lines.some(({ message }) => message === 'answer broke off')).toBe(true)
  })
})

describe('GET /v1/reconciliation', () => {
  test('sums up, by day, owner and session', async () => {
    const id = await owed()
    const all = await json(await world.get('/v1/reconciliation'))
    expect(all).toMatchObject({
      sessions: 1,
      classes: { overdue: 1 },
      meanings: { overdue: { meaning: 'owed for an hour or longer', severity: 'exception' } },
      ages: { older: { sessions: 1 } },
      balanced: true,
    })
    for (const [query, sessions] of [
      ['day=2026-01-15', 1],
      ['day=yesterday', 0],
      ['store=0190b5f8-0000-7000-8000-00000000000a', 1],
      [`user=${newSession()}`, 0],
      [`session=${id}`, 1],
      ['as_of=2026-01-15T09:00:00Z', 0],
    ])
      expect(await json(await world.get(`/v1/reconciliation?${query}`)), `${query}`).toMatchObject({ sessions })
    for (const query of ['day=monday', `store=${id}&user=${id}`, 'day=today&from=2026-01-01'])
      expect(await codeOf(await world.get(`/v1/reconciliation?${query}`))).toEqual([400, 'invalid_request'])
  })

  test('as CSV has one row per day and owner, with the same columns on every day', async () => {
    await owed()
    const header = (await (await world.get('/v1/reconciliation?day=yesterday&format=csv')).text()).trim()
    expect(header).toMatch(/^day,channel,owner_id,sessions,charged,kept,given_back,owed,open,drift,sessions_matched,/)
    const text = await (await world.get('/v1/reconciliation', { accept: 'text/csv' })).text()
    const [same, row, end] = text.split('\r\n')
    expect([same, end]).toEqual([header, ''])
    expect(row).toMatch(/^2026-01-15,b2b,0190b5f8-0000-7000-8000-00000000000a,1,0,0,0,0,0,0,/)
    expect(row?.split(',')).toHaveLength(header.split(',').length)
  })

  test('as CSV is of one moment, however many pages it is read in', async () => {
    const moments: unknown[] = []
    const page = async ({ asOf }: { readonly asOf?: string }) => {
      moments.push(asOf)
      return { items: [], next: moments.length % 3 === 0 ? null : 'more' }
    }
    await world.close(0)
    world = await openWorld({ queries: { ...world.store.queries, bookTotals: page, bookLines: page } })
    for (const path of ['/v1/reconciliation', '/v1/reconciliation/exceptions']) {
      await (await world.get(`${path}?format=csv`)).text()
      await (await world.get(`${path}?format=csv&as_of=2026-01-15`)).text()
    }
    const given = '2026-01-15T00:00:00.000Z'
    expect(moments.filter((moment) => moment === given)).toHaveLength(6)
    const [first, , , , , , second] = moments
    expect(moments.filter((moment) => moment === first || moment === second)).toHaveLength(6)
    expect(first).toMatch(/^20/)
  })

  test('lists exceptions by class, with what each means, and totals and runs page by page', async () => {
    const id = await owed()
    await owed(waived('overage'))
    const of = async (path: string) => (await json(await world.get(path)))['items'] as Record<string, unknown>[]
    expect((await of('/v1/reconciliation/exceptions')).map((one) => String(one['class'])).toSorted()).toEqual([
      'overage',
      'overdue',
    ])
    expect(await of('/v1/reconciliation/exceptions?class=overdue')).toMatchObject([
      { session_id: id, meaning: 'owed for an hour or longer' },
    ])
    expect(await of('/v1/reconciliation/exceptions?class=matched')).toEqual([])
    expect((await world.get('/v1/reconciliation/exceptions?class=lost')).status).toBe(400)
    const csv = await (await world.get('/v1/reconciliation/exceptions?format=csv')).text()
    expect(csv).toMatch(
      /^class,kind,session_id,channel,owner_id,email,ledger_record,since,charged,given_back,drift,detail,meaning\r\n/,
    )
    expect(await of('/v1/reconciliation/totals')).toMatchObject([{ day: '2026-01-15', sessions: 2 }])
    expect(await of('/v1/reconciliation/runs')).toEqual([])
    await world.store.queries.reconcile(0)
    expect(await of('/v1/reconciliation/runs')).toMatchObject([{ sessions: 2, drift: 0 }])
  })
})

describe('a line of CSV', () => {
  test.each([
    [['a', 1, null, -2.5], 'a,1,,-2.5\r\n'],
    [['say "hi", now', 'two\r\nlines'], '"say ""hi"", now","two\r\nlines"\r\n'],
    [['=1+1', '+49', '-x', '@sum', '\tx', '\rx'], `'=1+1,'+49,'-x,'@sum,'\tx,"'\rx"\r\n`],
    [['ä=€'], 'ä=€\r\n'],
  ])('%j', (cells, text) => {
    expect(line(cells)).toBe(text)
  })
})
