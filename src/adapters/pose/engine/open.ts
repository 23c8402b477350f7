import type { RgbPicture } from '../../../machines/ports/pose.ts'
import type { Backend, EngineOptions, Estimated, Part } from '../messages.ts'
import { startBackend } from './backend.ts'
import { estimate } from './estimate.ts'
import { loadNetworks } from './networks.ts'
import { selfTest } from './self-test.ts'

/** An engine that has found the drawn figure; for one picture at a time. */
export interface Engine {
  readonly backend: Backend
  readonly estimate: (picture: RgbPicture, part?: Part) => Promise<Estimated>
}

/** @throws with the reason when TensorFlow does not start, a file is missing, or the self-test fails. */
export const openEngine = async ({ backend: wanted, modelsDir, nativeDir }: EngineOptions): Promise<Engine> => {
  const backend = await startBackend(wanted, nativeDir)
  const networks = await loadNetworks(modelsDir)
  const engine: Engine = { backend, estimate: (picture, part) => estimate(networks, picture, part) }
  await selfTest((picture) => engine.estimate(picture))
  return engine
}
