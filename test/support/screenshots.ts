import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import sharp from 'sharp'

const DOCS = join(import.meta.dirname, '../../docs/console')

/**
 * Keeps what a page shows as `docs/console/<name>.png`, when CONSOLE_SCREENSHOTS asks for it: a test run alone leaves the documents
 * as they are. A palette of 256 colours is a third of the bytes, and no eye tells.
 */
export const keepScreenshot = async (page: Page, name: string): Promise<void> => {
  if (process.env['CONSOLE_SCREENSHOTS'] !== '1') return
  await mkdir(DOCS, { recursive: true })
  const shot = await page.screenshot({ animations: 'disabled' })
  await sharp(shot)
    .png({ palette: true, compressionLevel: 9 })
    .toFile(join(DOCS, `${name}.png`))
}
