import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'

const ROOT = join(import.meta.dirname, '../..')
const [FIRST, SECOND, THIRD] = ['a', 'b', 'c'].map((digit) => `ghcr.io/owner/wearon@sha256:${digit.repeat(64)}`) as [
  string,
  string,
  string,
]
const hasFlock = spawnSync('flock', ['--version']).status === 0

/** A machine on which images are put into service, with a docker that starts nothing. */
describe.runIf(hasFlock)('scripts/deploy.sh', () => {
  let target: string
  let fake: string
  beforeEach(() => {
    target = mkdtempSync(join(tmpdir(), 'wearon-deploy-'))
    fake = join(target, 'fake')
    for (const folder of ['scripts', 'fake', 'bin']) mkdirSync(join(target, folder))
    copyFileSync(join(ROOT, 'scripts/deploy.sh'), join(target, 'scripts/deploy.sh'))
    symlinkSync(join(ROOT, 'test/support/fake-docker.sh'), join(target, 'bin/docker'))
  })
  afterEach(() => rmSync(target, { recursive: true, force: true }))

  const environment = () => ({ PATH: `${join(target, 'bin')}:${process.env['PATH'] ?? ''}`, FAKE_DOCKER: fake })
  const deploy = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(join(target, 'scripts/deploy.sh'), args, {
      encoding: 'utf8',
      env: environment(),
    })
    return { status, said: stdout + stderr }
  }
  const that = (image: string, is: 'missing' | 'refused' | 'sick') => appendFileSync(join(fake, is), `${image}\n`)
  const running = () => readFileSync(join(fake, 'running'), 'utf8').trim()
  const asked = () => {
    const lines = readFileSync(join(fake, 'asked'), 'utf8').trimEnd().split('\n')
    writeFileSync(join(fake, 'asked'), '')
    return lines
  }
  const noted = (name: string) => readFileSync(join(target, '.deploy', name), 'utf8').trim()

  it('puts images into service one after the other, and keeps the one before', () => {
    expect(deploy(FIRST)).toMatchObject({ status: 0 })
    expect(asked().filter((line) => line.includes(' compose '))).toEqual([
      `${FIRST} compose up --detach --no-build --remove-orphans --wait --wait-timeout 180`,
    ])
    expect(deploy(SECOND)).toMatchObject({
      status: 0,
      said: expect.stringContaining(`${SECOND} is in service`) as unknown,
    })
    const calls = asked()
    expect(calls.findIndex((line) => line.includes('wearon replay --since 7d'))).toBeLessThan(
      calls.findIndex((line) => line.includes('compose up')),
    )
    expect([running(), noted('current'), noted('previous')]).toEqual([SECOND, SECOND, FIRST])
    expect(deploy(THIRD).status).toBe(0)
    expect(asked().at(-1)).toBe(` image rm ${FIRST}`)
  })

  it('may be repeated: the present image is stated again, and nothing else changes', () => {
    deploy(FIRST)
    deploy(SECOND)
    asked()
    expect(deploy(SECOND).status).toBe(0)
    expect(asked().filter((line) => /replay| rm /.test(line))).toEqual([])
    expect([running(), noted('current'), noted('previous')]).toEqual([SECOND, SECOND, FIRST])
  })

  it('goes back to the image before when a new one does not become healthy', () => {
    deploy(FIRST)
    that(SECOND, 'sick')
    expect(deploy(SECOND)).toMatchObject({
      status: 1,
      said: expect.stringContaining(`${FIRST} is in service again`) as unknown,
    })
    expect([running(), noted('current')]).toEqual([FIRST, FIRST])
    expect(deploy(THIRD).status).toBe(0)
    expect(noted('previous')).toBe(FIRST)
  })

  it('says so when there is nothing to go back to, or that does not become healthy either', () => {
    that(FIRST, 'sick')
    expect(deploy(FIRST)).toMatchObject({ status: 2, said: expect.stringContaining('no image before it') as unknown })
    deploy(SECOND)
    that(SECOND, 'sick')
    that(THIRD, 'sick')
    expect(deploy(THIRD)).toMatchObject({
      status: 2,
      said: expect.stringContaining('does not become healthy either') as unknown,
    })
  })

  it('goes back by hand, and forth again', () => {
    expect(deploy('--rollback').status).toBe(3)
    deploy(FIRST)
    deploy(SECOND)
    expect(deploy('--rollback').status).toBe(0)
    expect([running(), noted('current'), noted('previous')]).toEqual([FIRST, FIRST, SECOND])
    expect(deploy('--rollback').status).toBe(0)
    expect(running()).toBe(SECOND)
  })

  it.each(['missing', 'refused'] as const)('touches nothing when the image is %s', (why) => {
    deploy(FIRST)
    that(SECOND, why)
    asked()
    expect(deploy(SECOND).status).toBe(3)
    expect(asked().some((line) => line.includes('compose up'))).toBe(false)
    expect([running(), noted('current')]).toEqual([FIRST, FIRST])
  })

  it('lets one deployment run at a time, and none without an image', async () => {
    expect(deploy()).toMatchObject({ status: 3 })
    mkdirSync(join(target, '.deploy'))
    const holder = spawn('flock', [join(target, '.deploy/lock'), 'sleep', '60'], { stdio: 'ignore', detached: true })
    try {
      await eventually(() => {
        if (spawnSync('flock', ['--nonblock', join(target, '.deploy/lock'), 'true']).status === 0)
          throw new Error('the lock is not held yet')
      })
      expect(deploy(FIRST)).toMatchObject({ status: 3, said: expect.stringContaining('another deployment') as unknown })
    } finally {
      const gone = once(holder, 'exit')
      process.kill(-(holder.pid ?? 0), 'SIGKILL')
      await gone
    }
    expect(deploy(FIRST).status).toBe(0)
  })
})
