import { type GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import * as constants from '@tensorflow-models/pose-detection/dist/blazepose_tfjs/constants.js'
import { calculateAlignmentPointsRects } from '@tensorflow-models/pose-detection/dist/shared/calculators/calculate_alignment_points_rects.js'
import { createSsdAnchors } from '@tensorflow-models/pose-detection/dist/shared/calculators/create_ssd_anchors.js'
import { detectorResult } from '@tensorflow-models/pose-detection/dist/shared/calculators/detector_result.js'
import { nonMaxSuppression } from '@tensorflow-models/pose-detection/dist/shared/calculators/non_max_suppression.js'
import { refineLandmarksFromHeatmap } from '@tensorflow-models/pose-detection/dist/shared/calculators/refine_landmarks_from_heatmap.js'
import { tensorsToDetections } from '@tensorflow-models/pose-detection/dist/shared/calculators/tensors_to_detections.js'
import { tensorsToLandmarks } from '@tensorflow-models/pose-detection/dist/shared/calculators/tensors_to_landmarks.js'
import { transformNormalizedRect } from '@tensorflow-models/pose-detection/dist/shared/calculators/transform_rect.js'
import type { RgbPicture } from '../../../machines/ports/pose.ts'
import { modelFile } from './model-file.ts'
import { cropped, type Region } from './region.ts'

/** px: what the detector and the landmark network look at. */
const DETECTOR_SIZE = 224
export const LANDMARK_SIZE = 256
/** Points of the body; behind them two that tell where it stands. */
const POINTS = 33
const OUTPUTS = ['ld_3d', 'output_poseflag', 'activation_heatmap', 'world_3d']
const MASK = 'activation_segmentation'

/** A point of the landmark network: x, y and z as shares of the region's side, or metres; `score` is its visibility. */
export type RawPoint = Awaited<ReturnType<typeof tensorsToLandmarks>>[number]

/** What the landmark network sees in a region. */
export interface RawBody {
  /** 0..1: whether there is a person at all. */
  readonly score: number
  readonly points: readonly RawPoint[]
  readonly world: readonly RawPoint[]
}

export interface MaskedBody extends RawBody {
  /** `LANDMARK_SIZE` × `LANDMARK_SIZE` values of 0..1. */
  readonly mask: Float32Array
}

/**
 * MediaPipe's BlazePose full as pose-detection 2.1.3 runs it, one network at a time: its `estimatePoses` would copy the whole picture
 * as floating point numbers, and draw the mask at the picture's size.
 */
export class BlazePose {
  readonly #detector: GraphModel
  readonly #landmarks: GraphModel
  readonly #anchors: Parameters<typeof tensorsToDetections>[1]

  private constructor(detector: GraphModel, landmarks: GraphModel) {
    this.#detector = detector
    this.#landmarks = landmarks
    const anchors = createSsdAnchors(constants.BLAZEPOSE_DETECTOR_ANCHOR_CONFIGURATION)
    const column = (key: 'xCenter' | 'yCenter' | 'width' | 'height') =>
      tf.tensor1d(anchors.map((anchor) => anchor[key]))
    this.#anchors = { x: column('xCenter'), y: column('yCenter'), w: column('width'), h: column('height') }
  }

  /** Loads both networks from a folder; wrong weights may show only at the first picture. */
  static async load(modelsDir: string): Promise<BlazePose> {
    const [detector, landmarks] = await Promise.all([
      loadGraphModel(modelFile(modelsDir, 'blazepose-detector')),
      loadGraphModel(modelFile(modelsDir, 'blazepose-full')),
    ])
    return new BlazePose(detector, landmarks)
  }

  /** Where the most certain person stands, with room around; null where there is none. */
  async detect(picture: RgbPicture): Promise<Region | null> {
    const { width, height } = picture
    const whole: Region = { x: width / 2, y: height / 2, side: Math.max(width, height), rotation: 0 }
    const seen = cropped(picture, whole, DETECTOR_SIZE)
    for (let at = 0; at < seen.length; at++) seen[at] = (seen[at] ?? 0) / 127.5 - 1
    const input = tf.tensor4d(seen, [1, DETECTOR_SIZE, DETECTOR_SIZE, 3])
    const output = this.#detector.predict(input) as tf.Tensor3D
    const { logits, boxes } = detectorResult(output)
    try {
      const found = await tensorsToDetections(
        [logits, boxes],
        this.#anchors,
        constants.BLAZEPOSE_TENSORS_TO_DETECTION_CONFIGURATION,
      )
      const { minSuppressionThreshold, overlapType } = constants.BLAZEPOSE_DETECTOR_NON_MAX_SUPPRESSION_CONFIGURATION
      const [best] = found.length === 0 ? [] : await nonMaxSuppression(found, 1, minSuppressionThreshold, overlapType)
      return best === undefined ? null : regionOf(best, whole)
    } finally {
      tf.dispose([input, output, logits, boxes])
    }
  }

  /** What is seen in a crop of `LANDMARK_SIZE` px, values of 0..255; null when nobody is. */
  async look(crop: Float32Array): Promise<RawBody | null> {
    return this.#run(crop, OUTPUTS, readBody)
  }

  /** The same with the mask, which costs a quarter more. */
  async lookClosely(crop: Float32Array): Promise<MaskedBody | null> {
    return this.#run(crop, [...OUTPUTS, MASK], async (outputs) => {
      const body = await readBody(outputs)
      return body && { ...body, mask: outputAt(outputs, OUTPUTS.length).dataSync<'float32'>() }
    })
  }

  async #run<Seen>(crop: Float32Array, names: string[], read: (outputs: tf.Tensor[]) => Promise<Seen>): Promise<Seen> {
    const shares = new Float32Array(crop.length)
    for (let at = 0; at < crop.length; at++) shares[at] = (crop[at] ?? 0) / 255
    const input = tf.tensor4d(shares, [1, LANDMARK_SIZE, LANDMARK_SIZE, 3])
    const outputs = this.#landmarks.execute(input, names) as tf.Tensor[]
    try {
      return await read(outputs)
    } finally {
      tf.dispose([input, ...outputs])
    }
  }
}

const readBody = async (outputs: readonly tf.Tensor[]): Promise<RawBody | null> => {
  const score = outputAt(outputs, 1).dataSync<'float32'>()[0] ?? Number.NaN
  if (score < constants.BLAZEPOSE_POSE_PRESENCE_SCORE) return null
  const raw = await tensorsToLandmarks(outputAt(outputs, 0), constants.BLAZEPOSE_TENSORS_TO_LANDMARKS_CONFIG)
  const config = constants.BLAZEPOSE_REFINE_LANDMARKS_FROM_HEATMAP_CONFIG
  const points = await refineLandmarksFromHeatmap(raw, outputAt(outputs, 2) as tf.Tensor4D, config)
  const world = await tensorsToLandmarks(outputAt(outputs, 3), constants.BLAZEPOSE_TENSORS_TO_WORLD_LANDMARKS_CONFIG)
  return { score, points: points.slice(0, POINTS), world: world.slice(0, POINTS) }
}

const outputAt = (outputs: readonly tf.Tensor[], index: number): tf.Tensor => {
  const output = outputs[index]
  if (output === undefined) throw new Error('the landmark network lacks an output')
  return output
}

type Detection = Awaited<ReturnType<typeof nonMaxSuppression>>[number]

/** MediaPipe's `PoseDetectionToRoi`: from the middle of the hips and a point that tells how large the body is and how it leans. */
const regionOf = (detection: Detection, { x, y, side }: Region): Region => {
  const square = { width: 1, height: 1 }
  const points = {
    rotationVectorStartKeypointIndex: 0,
    rotationVectorEndKeypointIndex: 1,
    rotationVectorTargetAngleDegree: 90,
  }
  const rect = calculateAlignmentPointsRects(detection, square, points)
  const wide = transformNormalizedRect(rect, square, constants.BLAZEPOSE_DETECTOR_RECT_TRANSFORMATION_CONFIG)
  return {
    x: x + (wide.xCenter - 0.5) * side,
    y: y + (wide.yCenter - 0.5) * side,
    side: wide.width * side,
    rotation: wide.rotation ?? 0,
  }
}
