import { load as loadBlazePose } from '@tensorflow-models/pose-detection/dist/blazepose_tfjs/detector.js'
import { load as loadMoveNet } from '@tensorflow-models/pose-detection/dist/movenet/detector.js'
import type { PoseDetector } from '@tensorflow-models/pose-detection/dist/pose_detector.js'
import { modelFile } from './model-file.ts'

/** The two networks, loaded. Neither may carry anything from one picture to the next: all smoothing and tracking is off. */
export interface Networks {
  readonly blazePose: PoseDetector
  readonly moveNet: PoseDetector
}

/**
 * Loads the networks from a folder; wrong weights may show only at the first estimate. The detectors are imported by file: the
 * package's own entry would also load engines for browsers.
 */
export const loadNetworks = async (modelsDir: string): Promise<Networks> => {
  const [blazePose, moveNet] = await Promise.all([
    loadBlazePose({
      runtime: 'tfjs',
      modelType: 'full',
      detectorModelUrl: modelFile(modelsDir, 'blazepose-detector'),
      landmarkModelUrl: modelFile(modelsDir, 'blazepose-full'),
      enableSmoothing: false,
      enableSegmentation: true,
      smoothSegmentation: false,
    }),
    loadMoveNet({
      modelType: 'MultiPose.Lightning',
      modelUrl: modelFile(modelsDir, 'movenet-multipose'),
      enableSmoothing: false,
      enableTracking: false,
    }),
  ])
  return { blazePose, moveNet }
}
