import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { operator } from '../support/facts.ts'
import { unreadable } from '../support/readable.ts'
import { keepScreenshot } from '../support/screenshots.ts'
import { useDesk } from './console-desk.ts'

const NOW = '2026-01-15T10:30:00.000Z'
const IN_DOCS = new Set(['dead-letter-light', 'refund-dark', 'books-light'])
const BY = { 'Your name': 'Ada' }

const PAGES = join(import.meta.dirname, '../../src/console/page')
/** The path of every page, as its own file says it. */
const everyPath = readdirSync(PAGES)
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => /^ {2}path: '(\/[^']*)'/m.exec(readFileSync(join(PAGES, file), 'utf8'))?.[1] ?? [])

describe.runIf(hasChromium)('the desks of the console', () => {
  const open = useDesk()

  test('can be read, heard and reached by keyboard, by day and by night', async () => {
    const { page, desks, faults } = await open('/dead-letters')
    const { letters, escalated } = desks.planted
    const paths = {
      sessions: '/sessions',
      session: `/sessions/${escalated}`,
      'dead-letters': '/dead-letters',
      'dead-letter': `/dead-letters/${letters.broken}`,
      refunds: '/refunds',
      refund: `/refunds/${escalated}`,
      books: '/reconciliation',
      orphans: '/orphans',
      projections: '/projections',
      keys: '/keys',
      audit: '/audit',
      body: '/body',
      health: '/health',
    }
    const isOne = (id: string) => [escalated, letters.broken].includes(id)
    const opened = Object.values(paths).map((path) => path.replace(/[^/]+$/, (last) => (isOne(last) ? ':id' : last)))
    expect(opened.toSorted()).toEqual(everyPath.toSorted())
    for (const [name, path] of Object.entries(paths)) {
      await page.goto(`/console${path}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        expect([name, colorScheme, await unreadable(page)]).toEqual([name, colorScheme, []])
        const shot = `${name}-${colorScheme}`
        if (IN_DOCS.has(shot)) await keepScreenshot(page, shot)
      }
    }
    expect(faults).toEqual([])
  })

  describe('dead letters', () => {
    test('are listed and shown with their bytes, and discarded with a reason by the keyboard alone', async () => {
      const desk = await open('/dead-letters')
      const { page, faults, desks } = desk
      expect(await desk.rows()).toHaveLength(2)
      await desk.link('the message is not JSON').press('Enter')
      await page.getByText('"prompt": "grün"').waitFor()
      await desk.button('Discard').press('Enter')
      await page.keyboard.press('Escape')
      await desk.dialog().waitFor({ state: 'hidden' })
      await desk.button('Discard').press('Enter')
      await page.keyboard.type('Ada')
      await page.keyboard.press('Tab')
      await page.keyboard.type('the producer was mended')
      await page.keyboard.press('Enter')
      await desk.said('Discarded.')
      await page.locator('.sign', { hasText: 'discarded' }).waitFor()
      expect(await desk.api(`/v1/dead-letters/${desks.planted.letters.broken}`)).toMatchObject({
        state: 'discarded',
        last_action: { by: 'Ada', reason: 'the producer was mended' },
      })
      expect(faults).toEqual([])
    })

    test('are replayed; what was discarded only by force, and the refusal says so', async () => {
      const desk = await open('/dead-letters')
      const { page, desks } = desk
      const id = desks.planted.letters.binary
      await desks.parts.log.letters.mark(id, { state: 'discarded', by: 'Bob', at: NOW, reason: 'garbage', attempts: 1 })
      await page.goto(`/console/dead-letters/${id}`)
      await page.getByText('AP8B/g==').waitFor()
      await desk.act('Replay', BY)
      await desk.dialog().getByText('"force" replays it all the same').waitFor()
      await desk.dialog().getByLabel('Even if it was discarded').selectOption('yes')
      await desk.dialog().getByRole('button', { name: 'Replay' }).click()
      await desk.said('Replayed')
      expect(await desk.api(`/v1/dead-letters/${id}`)).toMatchObject({ state: 'replayed', last_action: { by: 'Ada' } })
    })

    test('are all replayed at once', async () => {
      const desk = await open('/dead-letters')
      await desk.act('Replay all', BY)
      await desk.said('2 replayed.')
      await desk.page.getByText('No dead letters.').waitFor()
      expect(await desk.api('/v1/dead-letters?state=waiting')).toMatchObject({ items: [] })
    })
  })

  describe('refunds', () => {
    test('are narrowed down, and come as CSV as they are shown', async () => {
      const desk = await open('/refunds')
      const { page, faults } = desk
      const { owed, escalated } = desk.desks.planted
      expect(await desk.rows()).toHaveLength(5)
      await page.getByLabel('State').selectOption('owed')
      await desk.button('Apply').click()
      await page.waitForURL(/state=owed/)
      await desk.link(escalated).waitFor({ state: 'detached' })
      expect(await desk.rows()).toMatchObject([expect.stringContaining(owed)])
      const csv = await desk.download('Download these as CSV')
      expect(csv).toContain(owed)
      expect(csv).not.toContain(escalated)
      await page.goBack()
      await desk.link(escalated).waitFor()
      expect(faults).toEqual([])
    })

    test('are shown with the facts and credits behind them, and settled by hand', async () => {
      const desk = await open('/refunds')
      const { page, desks, faults } = desk
      const { escalated } = desks.planted
      await desk.link(escalated).click()
      for (const text of ['the store has no balance row', 'Generation credit deduction', 'refund.escalated'])
        await page.getByText(text, { exact: true }).waitFor()
      await desk.button('Settle by hand').click()
      await desk.dialog().getByLabel('How the credits').selectOption('written_off')
      await desk.dialog().getByLabel('Your name').fill('Ada')
      await desk.dialog().getByLabel('Why').fill('the store is gone')
      await desk.dialog().getByRole('button', { name: 'Settle by hand' }).click()
      await desk.said('Asked')
      const settlement = { by: operator, how: 'written_off', why: 'the store is gone' }
      expect(desks.published()).toMatchObject([
        { ...settlement, command: 'refund.settle', sessionId: escalated, by: { name: 'Ada' } },
      ])
      await desks.happen(escalated, { type: 'refund.settled', data: settlement })
      await desks.project()
      await page.locator('.head .sign', { hasText: 'settled' }).waitFor()
      expect(await desk.button('Settle by hand').count()).toBe(0)
      expect(faults).toEqual([])
    })

    test('are tried again at once', async () => {
      const desk = await open('/refunds')
      const { page, desks } = desk
      await page.goto(`/console/refunds/${desks.planted.owed}`)
      await desk.act('Try again', BY)
      await desk.said('Asked')
      expect(desks.published()).toMatchObject([{ command: 'refund.retry', sessionId: desks.planted.owed }])
    })
  })

  test('the books say whether they balance, what is astray, and hand it out as CSV', async () => {
    const desk = await open('/reconciliation')
    const { page, desks, faults } = desk
    const { missing, owed } = desks.planted
    await page.getByText('The books do not balance: 1 credit astray').waitFor()
    expect(await page.getByRole('row', { name: /a week or longer/ }).innerText()).toMatch(/\t2\t2$/)
    await desk.link('missing').click()
    await page.getByRole('heading', { name: 'Lines that are missing' }).waitFor()
    await desk.link(missing).waitFor()
    expect(await desk.link(owed).count()).toBe(0)
    expect(await desk.download('Download these as CSV')).toMatch(new RegExp(`missing,session,${missing}`))
    expect(await desk.download('Download the totals as CSV')).toMatch(/^day,channel,owner_id,sessions,charged/)
    await page.getByLabel('One day (UTC)').fill('2026-01-16')
    await desk.button('Apply').click()
    await page.getByText('The books balance').waitFor()
    expect(new URL(page.url()).search).toBe('?day=2026-01-16')
    expect(faults).toEqual([])
  })
})
