import { load as loadMoveNet } from '@tensorflow-models/pose-detection/dist/movenet/detector.js'
import type { PoseDetector } from '@tensorflow-models/pose-detection/dist/pose_detector.js'
import { BlazePose } from './blaze-pose.ts'
import { modelFile } from './model-file.ts'

/** The two networks, loaded. Neither may carry anything from one picture to the next: all smoothing and tracking is off. */
export interface Networks {
  readonly blazePose: BlazePose
  readonly moveNet: PoseDetector
}

/**
 * Loads the networks from a folder; wrong weights may show only at the first estimate. MoveNet's detector is imported by file:
 * the package's own entry would also load engines for browsers.
 */
export const loadNetworks = async (modelsDir: string): Promise<Networks> => {
  const [blazePose, moveNet] = await Promise.all([
    BlazePose.load(modelsDir),
    loadMoveNet({
      modelType: 'MultiPose.Lightning',
      modelUrl: modelFile(modelsDir, 'movenet-multipose'),
      enableSmoothing: false,
      enableTracking: false,
    }),
  ])
  return { blazePose, moveNet }
}
