import { readSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { EngineOptions, type FromEngine, PIXELS_FD, type ToEngine } from '../messages.ts'
import { PixelReader } from './pixels.ts'

// A process of its own with one engine, forked by `engine-process.ts`: what crashes here takes one picture's answer with it and
// nothing else. It ends with its parent, however that ended, and at any error: nobody knows what an error left in the engine.

const FOLDER = import.meta.dirname

const say = (message: FromEngine): Promise<void> => new Promise((sent) => process.send?.(message, () => sent()))

const endWith = async (error: unknown): Promise<void> => {
  await say({ kind: 'ends', reason: error instanceof Error ? error.message : String(error) })
  process.exit(1)
}

const run = async (): Promise<void> => {
  const options = EngineOptions.parse(JSON.parse(process.argv[2] ?? ''))
  // TensorFlow.js is two megabytes of source.
  enableCompileCache(join(FOLDER, '../../../../node_modules/.cache/compiled'))
  const { openEngine } = await import('./open.ts')
  const { backend, estimate } = await openEngine(options)
  const pixels = new PixelReader((bytes) => readSync(PIXELS_FD, bytes))
  const answer = async ({ width, height, part }: ToEngine): Promise<void> => {
    const estimated = await estimate({ rgb: pixels.read(width * height * 3), width, height }, part)
    pixels.forget()
    await say({ kind: 'estimated', estimated })
  }
  process.on('message', (asked: ToEngine) => void answer(asked).catch(endWith))
  await say({ kind: 'ready', backend })
}

// A terminal's Ctrl-C reaches the whole group: the parent decides when its engines end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('disconnect', () => process.exit(0))
run().catch(endWith)
