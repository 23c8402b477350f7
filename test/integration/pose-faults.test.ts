import { readFileSync } from 'node:fs'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { drawFigure } from '../../src/adapters/pose/engine/figure.ts'
import { modelFiles } from '../../src/adapters/pose/model-files.ts'
import type { PosePoolOptions } from '../../src/adapters/pose/pool.ts'
import type { PoseEngine } from '../../src/machines/ports/pose.ts'
import { eventually } from '../support/eventually.ts'
import {
  allReady,
  codeOf,
  engineOptions,
  engineProcesses,
  forever,
  networksAreHere,
  openPool,
} from '../support/pose.ts'

describe.skipIf(!networksAreHere)('a pool whose engines fail', () => {
  const pools: PoseEngine[] = []
  const person = drawFigure()
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.close()))
    if (engineProcesses().length > 0) throw new Error('a closed pool leaves engines behind')
  })

  const open = async (options: Partial<PosePoolOptions> = {}) => {
    const pool = openPool(options)
    pools.push(pool)
    await allReady(pool)
    return { pool, pid: engineProcesses()[0] ?? Number.NaN }
  }
  const ask = async (pool: PoseEngine, signal = forever) => codeOf(await pool.estimate(person, signal))

  it('takes no picture before its first engine passed the self-test', async () => {
    const pool = openPool()
    pools.push(pool)
    expect(pool.status()).toMatchObject({ state: 'loading', backend: null, enginesReady: 0, engines: 1 })
    expect(await ask(pool)).toBe('model_not_ready')
    await allReady(pool)
    expect(await ask(pool)).toBe('estimated')
  })

  it('answers engine_crashed for the picture that a killed engine looked at, and the next one works', async () => {
    const { pool, pid } = await open()
    process.kill(pid, 'SIGSTOP')
    const lost = ask(pool)
    process.kill(pid, 'SIGKILL')
    expect(await lost).toBe('engine_crashed')
    expect(pool.status().state).toBe('retrying')
    expect(await ask(pool)).toBe('estimated')
    expect(pool.status()).toMatchObject({ state: 'ready', reason: null })
  })

  it('lets so many wait, refuses more at once, and forgets those who leave', async () => {
    const { pool, pid } = await open({ waitingMax: 2 })
    process.kill(pid, 'SIGSTOP')
    const leaver = new AbortController()
    const first = ask(pool)
    const second = ask(pool)
    const left = ask(pool, leaver.signal)
    expect(pool.status().waiting).toBe(2)
    expect(await ask(pool)).toBe('saturated')
    leaver.abort(new Error('the client left'))
    await expect(left).rejects.toThrow('the client left')
    const third = ask(pool)
    process.kill(pid, 'SIGCONT')
    expect(await Promise.all([first, second, third])).toEqual(['estimated', 'estimated', 'estimated'])
  })

  it('answers deadline for a picture that takes too long, and replaces an engine that never comes back', async () => {
    const { pool, pid } = await open({ deadlineMs: 3_000, hangsMs: 4_000 })
    process.kill(pid, 'SIGSTOP')
    expect(await Promise.all([ask(pool), ask(pool)])).toEqual(['deadline', 'deadline'])
    await eventually(() => expect(engineProcesses()).not.toContain(pid))
    await eventually(async () => expect(await ask(pool)).toBe('estimated'))
  })

  it('tells who waits that there is no model when it closes, and leaves no process behind', async () => {
    const { pool, pid } = await open()
    process.kill(pid, 'SIGSTOP')
    const waits = [ask(pool), ask(pool)]
    await pool.close()
    expect(await Promise.all(waits)).toEqual(['model_not_ready', 'model_not_ready'])
    expect(await ask(pool)).toBe('model_not_ready')
    expect(pool.status().state).toBe('closed')
  })

  it('hands nothing of its own environment to the engines', async () => {
    process.env['SUPABASE_SERVICE_ROLE_KEY'] = 'sb_secret_that_no_engine_needs'
    try {
      const { pid } = await open()
      expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain('sb_secret')
    } finally {
      delete process.env['SUPABASE_SERVICE_ROLE_KEY']
    }
  })

  it.each([
    ['missing', 'npm run pose-models', (file: string) => rm(file)],
    ['damaged', 'self-test', damage],
  ])('does not become ready, and says why, when weights are %s', async (_, reason, harm) => {
    const modelsDir = await mkdtemp(join(tmpdir(), 'wearon-models-'))
    try {
      for (const name of Object.keys(modelFiles))
        await copyFile(join(engineOptions.modelsDir, name), join(modelsDir, name))
      await harm(join(modelsDir, 'blazepose-full.bin'))
      const pool = openPool({ engine: { ...engineOptions, modelsDir } })
      pools.push(pool)
      await eventually(() => expect(pool.status()).toMatchObject({ state: 'failed', enginesReady: 0 }))
      expect(pool.status().reason).toContain(reason)
      expect(await ask(pool)).toBe('model_not_ready')
    } finally {
      await rm(modelsDir, { recursive: true })
    }
  })
})

/** A fifth of the weights is lost; the file still has its size, and loads. */
async function damage(file: string): Promise<void> {
  const weights = await readFile(file)
  await writeFile(file, weights.fill(0, Math.round(weights.length * 0.4), Math.round(weights.length * 0.6)))
}
