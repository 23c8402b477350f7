import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { openPage, startChromium, type Watched } from '../support/chromium.ts'
import { type Desks, openDesks } from './console-desks-world.ts'
import { json } from './http-world.ts'

/** A browser for the tests of a file, and in each of them a page of the console over desks of its own. */
export const useDesk = () => {
  let browser: Browser
  let desk: Desk | null = null
  beforeAll(async () => {
    browser = await startChromium()
  })
  afterAll(() => browser.close())
  afterEach(async () => {
    await desk?.close()
    desk = null
  })
  /** `given`: what happens before the page is opened. */
  return async (
    path: string,
    changes: Parameters<typeof openDesks>[0] = {},
    given: (desks: Desks) => Promise<void> = async () => {},
  ): Promise<Desk> => {
    const desks = await openDesks(changes)
    desk = new Desk(desks, await openPage(browser, desks.url))
    await given(desks)
    await desk.page.goto(`/console${path}`)
    return desk
  }
}

/** One page of the console, as the tests speak of it. */
class Desk {
  readonly desks: Desks
  readonly page: Page
  /** Errors of scripts, and what the page's policy refused. */
  readonly faults: readonly string[]

  constructor(desks: Desks, { page, faults }: Watched) {
    this.desks = desks
    this.page = page
    this.faults = faults
  }

  async close(): Promise<void> {
    await this.page.context().close()
    await this.desks.close()
  }

  button(name: string) {
    return this.page.getByRole('button', { name })
  }

  link(name: string) {
    return this.page.getByRole('link', { name })
  }

  dialog() {
    return this.page.getByRole('dialog')
  }

  /** Presses the button that opens a dialog, fills what it asks by its labels, and presses its button. */
  async act(name: string, values: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.button(name).click()
    for (const [label, value] of Object.entries(values)) await this.dialog().getByLabel(label).fill(value)
    await this.dialog().getByRole('button', { name }).click()
  }

  /** Waits until the page says so where screen readers hear it. */
  said(text: string): Promise<void> {
    return this.page.getByRole('status').filter({ hasText: text }).waitFor()
  }

  /** The texts of a table's rows, their cells divided by tabs. */
  async rows(): Promise<string[]> {
    await this.page.locator('tbody tr').first().waitFor()
    return this.page.locator('tbody tr').allInnerTexts()
  }

  async download(name: string): Promise<string> {
    const begun = this.page.waitForEvent('download')
    await this.link(name).click()
    const stream = await (await begun).createReadStream()
    return (await stream.toArray()).join('')
  }

  /** What the API answers meanwhile. */
  async api(path: string): Promise<Record<string, unknown>> {
    return json(await this.desks.get(path))
  }

  async signIn(key: string): Promise<void> {
    await this.page.getByLabel('API key').fill(key)
    await this.button('Sign in').click()
    await this.button('Sign out').waitFor()
  }
}
