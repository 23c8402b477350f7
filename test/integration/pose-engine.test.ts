import { memory } from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { drawFigure } from '../../src/adapters/pose/engine/figure.ts'
import { type Engine, openEngine } from '../../src/adapters/pose/engine/open.ts'
import { selfTest } from '../../src/adapters/pose/engine/self-test.ts'
import { engineOptions, networksAreHere } from '../support/pose.ts'

const figure = drawFigure()
const plain = { rgb: new Uint8Array(60 * 90 * 3).fill(200), width: 60, height: 90 }
const nowhere = '/nowhere'

describe.skipIf(!networksAreHere)('a pose engine', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await openEngine({ ...engineOptions, backend: 'auto', nativeDir: nowhere })
  })

  const estimateAside = async () => {
    const { body, ...rest } = await engine.estimate(figure)
    return {
      ...rest,
      body: body && { ...body, landmarks: body.landmarks.map((point) => ({ ...point, x: point.x + 12 })) },
    }
  }

  it('runs on WebAssembly where no native engine is installed', () => {
    expect(engine.backend).toBe('wasm')
  })

  it('does not start when the native engine is asked for and not installed', async () => {
    await expect(openEngine({ ...engineOptions, backend: 'node', nativeDir: nowhere })).rejects.toThrow('tfjs-node')
  })

  it('keeps no tensor of a picture, whether there is a person in it or not', async () => {
    await engine.estimate(figure)
    const before = memory()
    for (const picture of [figure, plain, figure, plain, figure]) await engine.estimate(picture)
    expect(memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes })
  })

  it.each([
    [
      'BlazePose finds nobody',
      async () => ({ ...(await engine.estimate(figure)), body: null }),
      'BlazePose finds nobody',
    ],
    ['MoveNet finds nobody', async () => ({ ...(await engine.estimate(figure)), people: [] }), 'MoveNet finds nobody'],
    ['points lie elsewhere', estimateAside, 'far from its place'],
    [
      'what is computed is no number',
      async () => ({ ...(await engine.estimate(figure)), moveNetMs: Number.NaN }),
      'no number',
    ],
  ])('is not trusted when %s', async (_, estimate, reason) => {
    await expect(selfTest(estimate)).rejects.toThrow(reason)
  })
})
