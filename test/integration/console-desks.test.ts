import type { Browser, Download, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { drawPerson } from '../../src/pictures/draw.ts'
import { hasChromium, openPage, startChromium } from '../support/chromium.ts'
import { operator } from '../support/facts.ts'
import { memoryPose, nobody, standing } from '../support/pose-memory.ts'
import { unreadable } from '../support/readable.ts'
import { keepScreenshot } from '../support/screenshots.ts'
import { type Desks, openDesks } from './console-desks-world.ts'
import { makeKey } from './http-keys-world.ts'
import { json } from './http-world.ts'

describe.runIf(hasChromium)('the desks of the console', () => {
  let browser: Browser
  let desks: Desks
  let page: Page
  let faults: string[]

  beforeAll(async () => {
    browser = await startChromium()
  })
  afterAll(() => browser.close())

  const open = async (
    path: string,
    changes: Parameters<typeof openDesks>[0] = {},
    given: () => Promise<void> = async () => {},
  ) => {
    desks = await openDesks(changes)
    await given()
    ;({ page, faults } = await openPage(browser, desks.url))
    await page.goto(`/console${path}`)
  }
  afterEach(async () => {
    await page.context().close()
    await desks.close()
  })

  const button = (name: string | RegExp) => page.getByRole('button', { name })
  const dialog = () => page.getByRole('dialog')
  const said = (text: string | RegExp) => page.getByRole('status').filter({ hasText: text }).waitFor()
  const rows = async () => {
    await page.locator('tbody tr').first().waitFor()
    return page.locator('tbody tr').allInnerTexts()
  }
  const api = async (path: string) => json(await desks.get(path))
  const textOf = async (download: Promise<Download>) => {
    const stream = await (await download).createReadStream()
    return (await stream.toArray()).join('')
  }
  const download = async (name: string) => {
    const begun = page.waitForEvent('download')
    await page.getByRole('link', { name }).click()
    return textOf(begun)
  }

  test('can be read, heard and reached by keyboard, by day and by night', async () => {
    await open('/dead-letters')
    const { letters, escalated } = desks.planted
    const paths = {
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
    }
    for (const [name, path] of Object.entries(paths)) {
      await page.goto(`/console${path}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        expect([name, colorScheme, await unreadable(page)]).toEqual([name, colorScheme, []])
        await keepScreenshot(page, `${name}-${colorScheme}`)
      }
    }
    expect(faults).toEqual([])
  })

  describe('dead letters', () => {
    test('are listed and shown with their bytes, and discarded with a reason by the keyboard alone', async () => {
      await open('/dead-letters')
      expect(await rows()).toHaveLength(2)
      await page.getByRole('link', { name: 'the message is not JSON' }).press('Enter')
      await page.getByText('"prompt": "grün"').waitFor()
      await button('Discard').press('Enter')
      await page.keyboard.press('Escape')
      await dialog().waitFor({ state: 'hidden' })
      await button('Discard').press('Enter')
      await dialog().getByLabel('Your name').fill('Ada')
      await page.keyboard.press('Tab')
      await page.keyboard.type('the producer was mended')
      await page.keyboard.press('Enter')
      await said('Discarded.')
      await page.locator('.sign', { hasText: 'discarded' }).waitFor()
      expect(await api(`/v1/dead-letters/${desks.planted.letters.broken}`)).toMatchObject({
        state: 'discarded',
        last_action: { by: 'Ada', reason: 'the producer was mended' },
      })
      expect(faults).toEqual([])
    })

    test('are replayed; what was discarded only by force, and the refusal says so', async () => {
      await open('/dead-letters')
      const id = desks.planted.letters.binary
      await desks.parts.log.letters.mark(id, { state: 'discarded', by: 'Bob', at: NOW, reason: 'garbage', attempts: 1 })
      await page.goto(`/console/dead-letters/${id}`)
      await page.getByText('AP8B/g==').waitFor()
      await button('Replay').click()
      await dialog().getByLabel('Your name').fill('Ada')
      await dialog().getByRole('button', { name: 'Replay' }).click()
      await dialog().getByText('"force" replays it all the same').waitFor()
      await dialog().getByLabel('Even if it was discarded').selectOption('yes')
      await dialog().getByRole('button', { name: 'Replay' }).click()
      await said('Replayed')
      expect(await api(`/v1/dead-letters/${id}`)).toMatchObject({ state: 'replayed', last_action: { by: 'Ada' } })
    })

    test('are all replayed at once', async () => {
      await open('/dead-letters')
      await button('Replay all').click()
      await dialog().getByLabel('Your name').fill('Ada')
      await dialog().getByRole('button', { name: 'Replay all' }).click()
      await said('2 replayed.')
      await page.getByText('No dead letters.').waitFor()
      expect(await api('/v1/dead-letters?state=waiting')).toMatchObject({ items: [] })
    })
  })

  describe('refunds', () => {
    test('are narrowed down, and come as CSV as they are shown', async () => {
      await open('/refunds')
      expect(await rows()).toHaveLength(5)
      await page.getByLabel('State').selectOption('owed')
      await button('Apply').click()
      await page.waitForURL(/state=owed/)
      const { owed, escalated } = desks.planted
      await page.getByRole('link', { name: owed }).waitFor()
      expect(await rows()).toHaveLength(1)
      const csv = await download('Download these as CSV')
      expect(csv).toContain(owed)
      expect(csv).not.toContain(escalated)
      await page.goBack()
      await page.getByRole('link', { name: escalated }).waitFor()
      expect(faults).toEqual([])
    })

    test('are shown with the facts and credits behind them, and settled by hand', async () => {
      await open('/refunds')
      const { escalated } = desks.planted
      await page.getByRole('link', { name: escalated }).click()
      const shown = page.locator('.page')
      for (const text of ['the store has no balance row', 'Generation credit deduction', 'refund.escalated'])
        await shown.getByText(text, { exact: true }).waitFor()
      await button('Settle by hand').click()
      await dialog().getByLabel('Your name').fill('Ada')
      await dialog().getByLabel('How the credits').selectOption('written_off')
      await dialog().getByLabel('Why').fill('the store is gone')
      await dialog().getByRole('button', { name: 'Settle by hand' }).click()
      await said('Asked')
      expect(desks.published()).toMatchObject([
        { command: 'refund.settle', sessionId: escalated, how: 'written_off', why: 'the store is gone' },
      ])
      await desks.happen(escalated, {
        type: 'refund.settled',
        data: { by: operator, how: 'written_off', why: 'the store is gone' },
      })
      await desks.project()
      await page.locator('.head .sign', { hasText: 'settled' }).waitFor()
      expect(await button('Settle by hand').count()).toBe(0)
      expect(faults).toEqual([])
    })

    test('are tried again at once', async () => {
      await open('/refunds')
      await page.goto(`/console/refunds/${desks.planted.owed}`)
      await button('Try again now').click()
      await dialog().getByLabel('Your name').fill('Ada')
      await dialog().getByRole('button', { name: 'Try again' }).click()
      await said('Asked')
      expect(desks.published()).toMatchObject([{ command: 'refund.retry', sessionId: desks.planted.owed }])
    })
  })

  test('the books say whether they balance, what is astray, and hand it out as CSV', async () => {
    await open('/reconciliation')
    await page.getByText('The books do not balance: 1 credit astray').waitFor()
    expect(await page.getByRole('row', { name: /a week or longer/ }).innerText()).toMatch(/\t2\t2$/)
    const { missing, owed } = desks.planted
    await page.getByRole('link', { name: 'missing' }).click()
    await page.getByRole('heading', { name: 'Lines that are missing' }).waitFor()
    await page.getByRole('link', { name: missing }).waitFor()
    expect(await page.getByRole('link', { name: owed }).count()).toBe(0)
    expect(await download('Download these as CSV')).toMatch(new RegExp(`missing,session,${missing}`))
    expect(await download('Download the totals as CSV')).toMatch(/^day,channel,owner_id,sessions,charged/)
    await page.getByLabel('One day (UTC)').fill('2026-01-16')
    await button('Apply').click()
    await page.getByText('The books balance').waitFor()
    expect(new URL(page.url()).search).toBe('?day=2026-01-16')
    expect(faults).toEqual([])
  })

  test('projections say how far they are behind, and are rebuilt while one watches', async () => {
    await open('/projections')
    const row = page.getByRole('row', { name: /sessions/ })
    expect(await row.innerText()).toMatch(/sessions\tlags\t24\t2\t3\d\d d /)
    await button('Rebuild sessions').click()
    await dialog().getByText('People can query all the while').waitFor()
    await dialog().getByRole('button', { name: 'Rebuild sessions' }).click()
    await page.getByRole('progressbar', { name: 'Rebuild of sessions' }).waitFor()
    await page.getByText('1 of 24 facts').waitFor()
    desks.rebuilding.goOn()
    await said('sessions was computed anew')
    await desks.project()
    await row.getByText('up to date').waitFor()
    expect(await api('/v1/audit?action=projection.rebuild')).toMatchObject({
      items: [{ target: 'sessions', outcome: 'done' }],
    })
    expect(faults).toEqual([])
  })

  test('a key is made and shown once, lets in, is revoked, and all of it is in the audit', async () => {
    await open('/keys')
    await page.getByLabel('Name').fill('support')
    for (const scope of ['operate', 'read']) await page.getByRole('checkbox', { name: scope }).check()
    await button('Make a key').click()
    const key = await page.getByLabel('The key support').inputValue()
    expect(key).toMatch(/^wk_[0-9a-f]{16}_[\w-]{43}$/)
    await page.getByRole('link', { name: 'Sign in with this one' }).click()
    await signIn(page, key)
    expect(await rows()).toMatchObject([expect.stringMatching(/support \(yours\).*counts.*read, operate/s)])
    const other = await makeKey(desks, { name: 'shop' })
    await page.reload()
    await button('Revoke shop').click()
    await dialog().getByRole('button', { name: 'Revoke' }).click()
    await said('counts no more')
    expect((await desks.get('/v1/generations', { authorization: `Bearer ${other.key}` })).status).toBe(401)
    await page.getByRole('link', { name: 'Who made and revoked which' }).click()
    await page.getByRole('cell', { name: 'key.revoke' }).waitFor()
    const entries = (await rows()).filter((row) => row.includes('key.'))
    expect(entries.map((row) => /(support|loopback)\t(key\.\w+)/.exec(row)?.slice(1))).toEqual([
      ['support', 'key.revoke'],
      ['loopback', 'key.create'],
    ])
  })

  test('a key without the scope is told which one it lacks', async () => {
    let key = ''
    await open('/dead-letters', {}, async () => {
      key = (await makeKey(desks, { scopes: ['read'] })).key
    })
    await signIn(page, key)
    await page.getByRole('alert').getByText('needs the scope operate').waitFor()
    expect(await page.getByRole('link', { name: 'Dead letters' }).count()).toBe(0)
  })

  test('an orphan row is given up by hand, and all come as CSV', async () => {
    await open('/orphans')
    expect(await rows()).toMatchObject([expect.stringContaining('no task came for the row')])
    expect(await download('Download these as CSV')).toContain(desks.planted.orphan)
    await button('Give up').click()
    await dialog().getByLabel('Your name').fill('Ada')
    await dialog().getByRole('button', { name: 'Give up' }).click()
    await said('Given up')
    expect(desks.published()).toMatchObject([{ command: 'generation.give_up', sessionId: desks.planted.orphan }])
  })

  describe('a photo', () => {
    const bodies = (answer: Parameters<typeof memoryPose>[0], overlay = true) => ({
      ...{ engine: memoryPose(answer).engine, overlay, deadlineMs: 4_500, estimatesMax: 4, waitingMax: 4 },
      photos: {
        fetch: async () => ({ code: 'input_unavailable', detail: 'not here' }) as const,
        close: async () => {},
      },
    })
    const choose = async () => {
      const buffer = Buffer.from(await drawPerson(1))
      await page.getByLabel('A file').setInputFiles({ name: 'person.jpg', mimeType: 'image/jpeg', buffer })
      await page.getByLabel('Height, cm').fill('178')
    }

    test('gets a size in words, and is shown with what was seen in it', async () => {
      await open('/body', { bodies: bodies(standing) })
      await choose()
      await page.getByLabel('Draw what was seen').check()
      await button('Estimate').click()
      await page.getByText(/^Size (?:XS|S|M|L|XL|XXL)$/).waitFor()
      const drawn = page.getByRole('img', { name: /skeleton/ })
      await drawn.waitFor()
      expect(await drawn.evaluate((image: { naturalWidth: number }) => image.naturalWidth)).toBe(800)
      expect(faults).toEqual([])
    })

    test('that will not do is refused with what to do; an address that does not answer, and none at all, say so', async () => {
      await open('/body', { bodies: bodies(() => nobody, false) })
      await choose()
      await page.getByLabel('Draw what was seen').check()
      await button('Estimate').click()
      await page.getByText('Use a photo of one person, standing').waitFor()
      await page.getByText('POSE_OVERLAY=1 turns it on').waitFor()
      await page.reload()
      await page.getByLabel('Height, cm').fill('178')
      await button('Estimate').click()
      await page.getByRole('alert').getByText('Choose a file').waitFor()
      await page.getByLabel('or its address').fill('https://images.example/gone.jpg')
      await button('Estimate').click()
      await page.getByRole('alert').getByText('does not answer').waitFor()
    })
  })
})

const NOW = '2026-01-15T10:30:00.000Z'

const signIn = async (page: Page, key: string): Promise<void> => {
  await page.getByLabel('API key').fill(key)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
}
