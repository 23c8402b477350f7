import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Client } from '../../src/cli/client.ts'
import { drawGarment, drawPerson } from '../../src/pictures/draw.ts'
import { hasChromium, openPage, startChromium, type Watched } from '../support/chromium.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { publishPictures } from '../support/rehearse.ts'
import { keepScreenshot } from '../support/screenshots.ts'
import { end, type Server, startServer, wearon } from '../support/server-process.ts'

/** Slower than the slowest machine that the tests run on. */
const PATIENCE_MS = 30_000

describe.runIf(hasChromium)('the console of a server', () => {
  let folder: string
  let server: Server
  let client: Client
  let browser: Browser
  let watched: Watched
  let page: Page
  let made: string[]
  let refused: string

  beforeAll(async () => {
    folder = await newDataFolder()
    ;[server, browser] = await Promise.all([startServer(folder), startChromium()])
    client = new Client(server.url)
    watched = await openPage(browser, server.url)
    page = watched.page
    page.setDefaultTimeout(PATIENCE_MS)
  }, 120_000)
  afterAll(async () => {
    await browser.close()
    await end(server)
    await removeFolder(folder)
  })

  const counted = (state: string) => page.locator(`[data-state="${state}"] .count`)
  const shows = (state: string, count: number) =>
    eventually(async () => expect(await counted(state).textContent()).toBe(String(count)), PATIENCE_MS)
  const listed = () => page.locator('#list tbody tr')
  const stands = () => page.locator('.state.lit').getAttribute('data-state')
  const focused = () => page.evaluate<string>('document.activeElement.id || document.activeElement.textContent')

  test('shows sessions on the chart as they come, move and end, and in the list', async () => {
    await page.goto('/console')
    await page.getByText('live', { exact: true }).waitFor()
    await shows('completed', 0)
    expect(await listed().count()).toBe(0)
    const pictures = [await client.upload(await drawPerson(1)), await client.upload(await drawGarment(2))]
    made = [await publishPictures(client, pictures), await publishPictures(client, pictures)]
    // No picture lies there, so this one fails, and its credit is given back.
    refused = await publishPictures(client, [`${server.url}/livez`])
    await shows('completed', 2)
    await shows('refunded', 1)
    await shows('processing', 0)
    await page.getByText('3 in all').waitFor()
    await eventually(async () => {
      const rows = await listed().allInnerTexts()
      expect(rows.map((row) => /completed|refunded/.exec(row)?.[0] ?? row).toSorted()).toEqual([
        'completed',
        'completed',
        'refunded',
      ])
    }, PATIENCE_MS)
    await keepScreenshot(page, 'sessions-light')
  })

  test('narrows the list to what is asked for, by a click on the chart too, and finds a session by its id', async () => {
    await page.getByRole('combobox', { name: 'State' }).selectOption('refunded')
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.waitForURL(/state=refunded/)
    await eventually(async () => expect(await listed().count()).toBe(1))
    expect(await listed().innerText()).toContain(refused)
    await page.locator('a[data-state="completed"]').click()
    await page.waitForURL(/state=completed/)
    await eventually(async () => expect(await listed().count()).toBe(2))
    await page.getByRole('textbox', { name: 'Session id' }).fill(refused)
    await page.keyboard.press('Enter')
    await page.waitForURL(new RegExp(`/sessions/${refused}$`))
    await page.getByText('input_rejected').first().waitFor()
  })

  test('goes back in time fact by fact, and lights where the session stood', async () => {
    const slider = page.getByRole('slider', { name: 'Fact' })
    await slider.waitFor()
    const types = await page.locator('.life .type').allInnerTexts()
    expect(types).toEqual([
      'generation.requested',
      'generation.started',
      'generation.failed',
      'refund.requested',
      'refund.issued',
    ])
    const states = []
    for (const _ of types) {
      states.unshift(await stands())
      expect(await page.locator('#state-after').innerText()).toBe(states[0])
      await slider.press('ArrowLeft')
    }
    expect(states).toEqual(['queued', 'processing', 'failed.open', 'failed.owed', 'refunded'])
    await page.locator('.life button').nth(2).click()
    expect(await stands()).toBe('failed.open')
    await page.getByText('"code": "input_rejected"').waitFor()
    await page.getByRole('button', { name: 'The fact after' }).click()
    expect(await slider.getAttribute('aria-valuetext')).toBe('Fact 4 of 5: refund.requested, then failed.owed')
    await keepScreenshot(page, 'session-light')
  })

  test('shows the image of its own folder, and where the refund of a failed one went', async () => {
    await page.getByRole('link', { name: 'What became of it' }).click()
    await page.waitForURL(new RegExp(`/refunds/${refused}$`))
    await page.goto(`/console/sessions/${made[0] ?? ''}`)
    const image = page.getByAltText('The result')
    await image.scrollIntoViewIfNeeded()
    await eventually(async () =>
      expect(await image.evaluate((one) => (one as unknown as { naturalWidth: number }).naturalWidth)).toBeGreaterThan(
        0,
      ),
    )
    expect(await page.getByRole('link', { name: 'What became of it' }).count()).toBe(0)
  })

  test('is walked by keyboard alone: skip link, pages, and the focus on what is new', async () => {
    await page.goto('/console/sessions')
    await listed().first().waitFor()
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Skip to content')
    await page.keyboard.press('Enter')
    expect(await focused()).toBe('main')
    await page.getByRole('link', { name: 'Health' }).press('Enter')
    await page.getByRole('heading', { name: 'Loops' }).waitFor()
    expect(await focused()).toBe('main')
    expect(await page.title()).toBe('Health · WearOn console')
    expect(await page.locator('header nav [aria-current=page]').innerText()).toBe('Health')
    await page.getByText('archive', { exact: true }).waitFor()
    await keepScreenshot(page, 'health-light')
    await page.goBack()
    await page.getByRole('heading', { name: 'Sessions' }).waitFor()
  })

  test('is dark where the system is, and as one chooses', async () => {
    const paper = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
    const light = await paper()
    await page.emulateMedia({ colorScheme: 'dark' })
    const dark = await paper()
    expect(dark).not.toBe(light)
    await page.getByLabel('Colours').selectOption('light')
    expect(await paper()).toBe(light)
    await page.reload()
    await listed().first().waitFor()
    expect(await paper()).toBe(light)
    await page.getByLabel('Colours').selectOption('auto')
    expect(await paper()).toBe(dark)
    await keepScreenshot(page, 'sessions-dark')
    await page.emulateMedia({ colorScheme: 'light' })
  })

  test('asks for a key once there is one, keeps it from the page, and shows what it is for', async () => {
    const env = { DATA_DIR: folder }
    const { stdout } = await wearon(['keys', 'create', '--name', 'Ada', '--scope', 'read', '--json'], env)
    const { key } = JSON.parse(stdout) as { key: string }
    await eventually(async () => expect((await fetch(`${server.url}/v1/generations`)).status).toBe(401))
    await page.goto('/console/sessions')
    await page.getByLabel('API key').fill(`${key.slice(0, -3)}abc`)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').getByText('not known').waitFor()
    await page.getByLabel('API key').fill(key)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await listed().first().waitFor()
    expect(await page.locator('header nav a').allInnerTexts()).toEqual(['Sessions'])
    expect(
      await page.evaluate('document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })'),
    ).not.toContain('wk_')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('API key').waitFor()
  })

  test('broke no rule of its own policy, and threw nothing', () => expect(watched.faults).toEqual([]))
})
