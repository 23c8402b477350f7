import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { access, mkdir, rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.ts'

/** Names the folder that all test files of a run share: see run-folder.ts. */
export const RUN_FOLDER = 'TEST_RUN_FOLDER'

/** As long as another file may take to fill one, on a machine where three start at once; ms. */
const FILLED_MS = 120_000

/** A folder that whoever asks first fills, once for all test files of a run. Nobody writes to it afterwards. */
export const oncePerRun = async (name: string, fill: (folder: string) => Promise<void>): Promise<string> => {
  const filled = join(runFolder(), name)
  if (await isFirst(`${filled}.asked`)) {
    const filling = `${filled}.filling`
    await mkdir(filling)
    await fill(filling)
    await rename(filling, filled)
  } else await eventually(() => access(filled), FILLED_MS)
  return filled
}

/** True for one of all processes that ask. */
const isFirst = async (mark: string): Promise<boolean> => {
  try {
    await mkdir(mark)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  }
}

let own: string | null = null

/** Outside a test run (`npm run chaos`) a process has one of its own. */
const runFolder = (): string => process.env[RUN_FOLDER] ?? (own ??= ownFolder())

const ownFolder = (): string => {
  const folder = newRunFolder()
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Servers that run as users of their own pass through it. */
export const newRunFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'wearon-run-'))
  chmodSync(folder, 0o711)
  return folder
}
