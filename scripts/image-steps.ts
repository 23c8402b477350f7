// Carries out the Dockerfile's steps without Docker, each stage in a folder of its own, and starts what they make as the image
// would: as its user, on files that it cannot change, until its health check is content; then stops it as `docker stop` does.
// What it cannot show: the base image, and paths outside of /app and /data.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { letIn, readDockerfile } from './image/dockerfile.ts'
import { Stage } from './image/stage.ts'

const PROJECT = join(import.meta.dirname, '..')
const HEALTHY_MS = 60_000
const STOP_MS = 60_000
const PORT = '18432'

const work = await mkdtemp(join(tmpdir(), 'wearon-image-'))
try {
  await chmod(work, 0o755)
  const image = await build()
  const megabytes = Number(spawnSync('du', ['-sm', image.root], { encoding: 'utf8' }).stdout.split('\t')[0])
  console.log(`image-steps: built, ${megabytes} MB above the base image`)
  await start(image)
} finally {
  await rm(work, { recursive: true, force: true })
}

async function build(): Promise<Stage> {
  const allowed = letIn(await readFile(join(PROJECT, '.dockerignore'), 'utf8'))
  const stages = new Map<string, Stage>()
  let stage: Stage | undefined
  for (const instruction of readDockerfile(await readFile(join(PROJECT, 'Dockerfile'), 'utf8'))) {
    const { word, options, rest } = instruction
    console.log(
      `image-steps: ${word} ${Object.entries(options)
        .map(([name, value]) => `--${name}=${value} `)
        .join('')}${rest}`,
    )
    if (word === 'FROM') {
      const [base = '', , name = 'image'] = rest.split(/\s+/)
      const before = stages.get(base)
      const root = join(work, name)
      if (before === undefined) await mkdir(root)
      else await cp(before.root, root, { recursive: true, verbatimSymlinks: true })
      stage = new Stage(root, before?.env ?? {}, stages, allowed)
      stages.set(name, stage)
    } else if (stage === undefined) throw new Error('a Dockerfile begins with FROM')
    else await stage.take(instruction)
  }
  if (stage === undefined) throw new Error('the Dockerfile says nothing')
  return stage
}

async function start(image: Stage): Promise<void> {
  if (image.user !== 'node') throw new Error(`the image runs as ${image.user}`)
  const [, ...args] = image.command
  const child = spawn(process.execPath, args, asImage(image))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => (said += text.toString()))
  try {
    await untilHealthy(image, child)
    await showConsole()
    showCompiled(image)
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const [code] = (await Promise.race([exited, sleep(STOP_MS, ['nothing'])])) as unknown[]
    if (code !== 0) throw new Error(`after SIGTERM it ended with ${String(code)}`)
    console.log('image-steps: it started, was healthy, and stopped when told to')
  } catch (error) {
    console.error(said)
    throw error
  } finally {
    child.kill('SIGKILL')
  }
}

/** The image has the console's files, and a Node that takes the types out of them. */
async function showConsole(): Promise<void> {
  const { status } = await fetch(`http://127.0.0.1:${PORT}/console/files/main.ts`)
  if (status !== 200) throw new Error(`the console's files answer ${status}`)
}

/** As the image's user, to whom its files belong not. */
function asImage(image: Stage) {
  return { cwd: image.at('.'), env: { ...image.environment(), PORT, HOST: '127.0.0.1' }, ...image.who() }
}

/** It starts on compiled code: Node did not need what reads TypeScript for it. */
function showCompiled(image: Stage): void {
  const [, ...args] = image.command
  const look = `await import("./src/app/serve.ts")
    process.exit(process.moduleLoadList.some((name) => name.includes("amaro")) ? 1 : 0)`
  const asked = [...args.slice(0, -1), '--input-type=module', '--eval', look]
  if (spawnSync(process.execPath, asked, asImage(image)).status !== 0) throw new Error('its code is not compiled')
}

async function untilHealthy(image: Stage, child: ChildProcess): Promise<void> {
  const [, ...args] = image.health
  for (const end = performance.now() + HEALTHY_MS; performance.now() < end; await sleep(500)) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
    if (spawnSync(process.execPath, args, asImage(image)).status === 0) return
  }
  throw new Error('its health check is not content')
}
