import { execFileSync } from 'node:child_process'
import { type Browser, chromium, type Page } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** Where the machine's Chromium is; null where there is none. CI installs it, so there its absence is an error. */
const found = NAMES.flatMap((name) => {
  try {
    return [execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim()]
  } catch {
    return []
  }
})[0]
if (found === undefined && process.env['CI'] === 'true') throw new Error('CI needs Chromium for these tests')

/** False where the machine has no Chromium: its tests are left out then. */
export const hasChromium = found !== undefined
if (!hasChromium) console.warn('No Chromium here, so the console is not tried: scripts/services.sh says how to get it.')

/** A page with what went wrong in it: errors of scripts, and what its policy refused. */
export interface Watched {
  readonly page: Page
  readonly faults: string[]
}

/** A real Chromium without a window. */
export const startChromium = (): Promise<Browser> =>
  chromium.launch({
    ...(found !== undefined && { executablePath: found }),
    // The sandbox wants user namespaces, which containers and root do without.
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  })

/** Opens a page as somebody new; `scheme`: what their system prefers. */
export const openPage = async (
  browser: Browser,
  baseURL: string,
  { scheme = 'light' }: { readonly scheme?: 'light' | 'dark' } = {},
): Promise<Watched> => {
  const context = await browser.newContext({
    baseURL,
    colorScheme: scheme,
    viewport: { width: 1320, height: 900 },
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    // A request that is answered 401 is how a page learns that one has to sign in.
    if (message.type() === 'error' && !message.text().includes('401')) faults.push(message.text())
  })
  return { page, faults }
}
