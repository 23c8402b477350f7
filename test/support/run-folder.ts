import { rm } from 'node:fs/promises'
import { newRunFolder, RUN_FOLDER } from './once-per-run.ts'

/** Before the first test file: a folder for what all of them share, which goes away after the last one. */
export const setup = (): (() => Promise<void>) => {
  const folder = newRunFolder()
  process.env[RUN_FOLDER] = folder
  return () => rm(folder, { recursive: true, force: true })
}
