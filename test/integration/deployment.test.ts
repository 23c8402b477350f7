import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { execForm, letIn, readDockerfile } from '../../scripts/image/dockerfile.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

const Service = z.looseObject({
  image: z.string(),
  build: z.string().optional(),
  read_only: z.boolean().optional(),
  mem_limit: z.string(),
  stop_grace_period: z.string().optional(),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  depends_on: z.union([z.array(z.string()), z.record(z.string(), z.object({ condition: z.string() }))]).default([]),
})
const Compose = z.object({
  services: z.record(z.string(), Service),
  volumes: z.record(z.string(), z.unknown()),
})

const compose = Compose.parse(parse(read('docker-compose.yml'), { merge: true }))
const services = Object.entries(compose.services)
const ours = services.filter(([, { build }]) => build !== undefined)

/** Docker's own judgement, where its plugin is there. */
const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0
const hasShellcheck = spawnSync('shellcheck', ['--version']).status === 0
/** Where `scripts/services.sh` puts it, or whoever installed it. */
const actionlint =
  [join(ROOT, 'node_modules/.cache/bin/actionlint'), 'actionlint'].find(
    (place) => spawnSync(place, ['-version']).status === 0,
  ) ?? null
if (!hasShellcheck && process.env['CI'] === 'true') throw new Error('CI needs shellcheck for these tests')

describe('docker-compose.yml', () => {
  it.runIf(hasCompose)('is valid for docker compose, with every profile', () => {
    const { status, stderr } = spawnSync('docker', ['compose', '--profile', '*', 'config', '--quiet'], { cwd: ROOT })
    expect([status, stderr.toString()]).toEqual([0, ''])
  })

  it.each(services)('%s: pinned, bounded, mounted once, and reached from this machine alone', (_name, service) => {
    expect(service.build !== undefined || /:v?\d/.test(service.image)).toBe(true)
    expect(service.mem_limit).toMatch(/^(2g|\d{3}m)$/)
    for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
    const places = service.volumes.map((volume) => volume.split(':').slice(0, 2) as [string, string])
    expect(new Set(places.map(([, target]) => target)).size).toBe(places.length)
    for (const [source] of places) {
      expect(source.startsWith('./') ? existsSync(join(ROOT, source)) : source in compose.volumes).toBe(true)
    }
  })

  it.each(ours)('%s: cannot change its image, and has the time that its shutdown takes', (name, service) => {
    const grace = name === 'migrate' ? undefined : '60s'
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] })
    expect(service.stop_grace_period).toBe(grace)
  })

  it('starts our processes only when what they need is healthy, and no two services on one port', () => {
    for (const [, { depends_on }] of ours) {
      for (const { condition } of Object.values(depends_on) as { condition: string }[])
        expect(condition).toMatch(/^service_(healthy|completed_successfully)$/)
    }
    const ports = services.flatMap(([, { ports: some }]) => some.map((port) => port.split(':')[1]))
    expect(new Set(ports).size).toBe(ports.length)
  })

  it('hands on to the port on which our image listens', () => {
    const [, listens] = /^ENV PORT=(\d+)$/m.exec(read('Dockerfile')) ?? []
    const published = ours.flatMap(([, { ports }]) => ports)
    expect(published.length).toBeGreaterThan(0)
    for (const port of published) expect(port).toBe(`127.0.0.1:${listens}:${listens}`)
    expect(read('Dockerfile')).toContain(`EXPOSE ${listens}\n`)
  })

  it('is asked for metrics at the services that run us', () => {
    const [, names = ''] = /names: \[([^\]]+)\]/.exec(read('ops/prometheus.yml')) ?? []
    const running = ours.map(([name]) => name).filter((name) => name !== 'migrate')
    expect(names.split(', ').toSorted()).toEqual(running.toSorted())
  })
})

describe('the Dockerfile', () => {
  const instructions = readDockerfile(read('Dockerfile'))
  const allowed = letIn(read('.dockerignore'))
  const restOf = (word: string) => instructions.filter((one) => one.word === word).map(({ rest }) => rest)

  it('copies what is there and what .dockerignore lets in', () => {
    const copied = instructions
      .filter(({ word, options }) => word === 'COPY' && options['from'] === undefined)
      .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1))
    expect(copied.filter((source) => !existsSync(join(ROOT, source)))).toEqual([])
    expect(
      copied.filter((source) => !allowed.some((name) => source === name || source.startsWith(`${name}/`))),
    ).toEqual([])
  })

  it('runs as a user, asks itself with what the image has, and starts a file that is there', () => {
    expect(restOf('USER').at(-1)).toBe('node')
    const [health = '[]'] = restOf('HEALTHCHECK')
    expect(execForm(health)[0]).toBe('node')
    const command = execForm(restOf('CMD').at(-1) ?? '[]')
    expect(command[0]).toBe('node')
    expect(existsSync(join(ROOT, command.at(-1) ?? ''))).toBe(true)
  })

  it('compiles its code with the options and as the user that it is started with', () => {
    const last = instructions.filter(({ word }) => ['USER', 'RUN', 'CMD'].includes(word)).slice(-3)
    expect(last.map(({ word }) => word)).toEqual(['USER', 'RUN', 'CMD'])
    const [, compile = '', start = ''] = last.map(({ rest }) => rest)
    const options = execForm(start).slice(0, -1).join(' ')
    expect(compile).toBe(`${options} --input-type=module --eval 'await import("./src/app/serve.ts")'`)
  })

  it('takes the Node that the project asks for', () => {
    expect(restOf('FROM').filter((rest) => rest.startsWith('node:'))).toHaveLength(2)
    for (const rest of restOf('FROM').filter((one) => one.startsWith('node:')))
      expect(rest).toContain(`node:${read('.nvmrc').trim()}-`)
  })
})

describe('the workflows', () => {
  const folder = join(ROOT, '.github/workflows')
  const files = readdirSync(folder)
  const Job = z.looseObject({
    'timeout-minutes': z.number().optional(),
    uses: z.string().optional(),
    needs: z.union([z.string(), z.array(z.string())]).optional(),
    environment: z.string().optional(),
    concurrency: z.object({ group: z.string(), 'cancel-in-progress': z.boolean() }).optional(),
    steps: z.array(z.looseObject({ uses: z.string().optional() })).default([]),
  })
  const Workflow = z.looseObject({
    permissions: z.record(z.string(), z.string()),
    jobs: z.record(z.string(), Job),
  })
  const workflow = (file: string) => Workflow.parse(parse(readFileSync(join(folder, file), 'utf8')))

  it.runIf(actionlint !== null)('are clean for actionlint', () => {
    const { status, stdout } = spawnSync(actionlint ?? '', [], { cwd: ROOT, encoding: 'utf8' })
    expect([status, stdout]).toEqual([0, ''])
  })

  it.each(files)('%s: every job ends, and what others wrote is pinned to a commit', (file) => {
    const { jobs, permissions } = workflow(file)
    expect(permissions['contents']).toBe('read')
    for (const { uses, steps, ...job } of Object.values(jobs)) {
      expect(uses !== undefined || job['timeout-minutes'] !== undefined).toBe(true)
      const actions = steps.map((step) => step.uses).filter((action) => action !== undefined)
      for (const action of actions) expect(action).toMatch(/@[0-9a-f]{40}$/)
    }
  })

  it('put into service only what passed every check, one at a time, and never break off', () => {
    const { jobs } = workflow('ci.yml')
    expect(jobs['image']?.needs).toEqual(['verify', 'test'])
    expect(jobs['deploy']?.needs).toBe('image')
    expect(workflow('deploy.yml').jobs['deploy']).toMatchObject({
      environment: 'production',
      concurrency: { group: 'deploy-production', 'cancel-in-progress': false },
    })
  })

  it('bring to the target every file that its containers are started with', () => {
    const brought = /tar --create ([^|]+) \|/.exec(read('.github/workflows/deploy.yml'))?.[1]?.split(' ') ?? []
    const mounted = services.flatMap(([, { volumes }]) => volumes.filter((volume) => volume.startsWith('./')))
    for (const volume of mounted) {
      const source = volume.slice('./'.length).split(':')[0] ?? ''
      expect([source, brought.some((one) => source === one || source.startsWith(`${one}/`))]).toEqual([source, true])
    }
  })
})

describe.runIf(hasShellcheck)('shell scripts', () => {
  const tracked = spawnSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).stdout.split('\n')
  const isScript = (file: string) => /\.sh$|^\.ci\/|^ops\/wearon$/.test(file) && /^#!.*sh\b/.test(read(file))

  it('are clean for shellcheck', () => {
    const files = tracked.filter((file) => existsSync(join(ROOT, file)) && isScript(file))
    expect(files.length).toBeGreaterThan(2)
    const { status, stdout } = spawnSync('shellcheck', files, { cwd: ROOT, encoding: 'utf8' })
    expect([status, stdout]).toEqual([0, ''])
  })
})
