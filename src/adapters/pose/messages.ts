import { z } from 'zod'
import type { RgbPicture } from '../../machines/ports/pose.ts'

/** Which implementation of TensorFlow computes: the native addon, or WebAssembly, which runs everywhere. */
export const Backend = z.enum(['node', 'wasm'])
export type Backend = z.infer<typeof Backend>

/** What an engine process is started with, as JSON in its first argument. */
export const EngineOptions = z.object({
  backend: z.enum(['auto', ...Backend.options]),
  modelsDir: z.string(),
  nativeDir: z.string(),
})
export type EngineOptions = z.infer<typeof EngineOptions>

/** zod's numbers are finite: what a broken network computes goes no further. */
const Landmark = z.object({ x: z.number(), y: z.number(), z: z.number(), visibility: z.number() }).readonly()
const Flat = Landmark.unwrap().omit({ z: true }).readonly()
const Spatial = Landmark.unwrap().omit({ visibility: true }).readonly()
const CloseUp = z.object({
  side: z.number(),
  landmarks: z.array(Flat).length(33).readonly(),
  world: z.array(Spatial).length(33).readonly(),
  mask: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  left: z.number(),
  top: z.number(),
  scale: z.number(),
})
const Person = z.object({
  keypoints: z
    .array(z.object({ x: z.number(), y: z.number(), score: z.number() }))
    .length(17)
    .readonly(),
  score: z.number(),
  box: z.object({ xMin: z.number(), yMin: z.number(), xMax: z.number(), yMax: z.number() }),
})

/** What an engine makes of one picture: the port's estimate, but for the time in the queue. */
export const Estimated = z.object({
  body: z
    .object({
      landmarks: z.array(Landmark).length(33).readonly(),
      world: z.array(Landmark).length(33).readonly(),
      score: z.number(),
      closeUp: CloseUp.nullable(),
    })
    .nullable(),
  people: z.array(Person).max(6).readonly(),
  blazePoseMs: z.number(),
  moveNetMs: z.number(),
})
export type Estimated = z.infer<typeof Estimated>

/** From an engine process: that it works, what it found in the picture that it was sent last, or why it ends. */
export const FromEngine = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), backend: Backend }),
  z.object({ kind: z.literal('estimated'), estimated: Estimated }),
  z.object({ kind: z.literal('ends'), reason: z.string() }),
])
export type FromEngine = z.infer<typeof FromEngine>

/** What of a picture an engine looks for: with the other part, another engine can do the rest at the same time. */
export type Part = 'all' | 'body' | 'people'

/** What is asked of an engine. */
export interface Asked {
  readonly picture: RgbPicture
  readonly part: Part
}

/** To an engine process; the next one only after its answer. The picture's bytes follow on `PIXELS_FD`, as they are. */
export interface ToEngine {
  readonly width: number
  readonly height: number
  readonly part: Part
}

/** The pipe by which pixels come to an engine process: as part of a message they would be copied four times on the way. */
export const PIXELS_FD = 4
