import { join } from 'node:path'
import type { Variables } from './variables.ts'

/** What the project's own steps install lies here, outside of what belongs to its data. */
const CACHE = join(import.meta.dirname, '../../node_modules/.cache')

/** How bodies are seen in photos; null when they are not. */
export const poseOf = (variables: Variables) => {
  if (variables.POSE === 'off') return null
  return {
    backend: variables.POSE_BACKEND,
    /** Processes that look at one photo each; a core and 250 to 450 MB for each of them. */
    workers: variables.POSE_WORKERS,
    overlay: variables.POSE_OVERLAY,
    modelsDir: variables.POSE_MODELS ?? join(CACHE, 'pose-models'),
    nativeDir: join(CACHE, 'pose-native'),
  }
}
