import { createRequire } from 'node:module'
import { join } from 'node:path'
import util from 'node:util'
import * as tf from '@tensorflow/tfjs-core'

/** The backend that tfjs-node registers, as far as a kernel of ours needs it. */
interface NativeBackend {
  /** TensorFlow's numbers for types and kinds of attributes. */
  readonly binding: Readonly<Record<'TF_ATTR_TYPE' | 'TF_ATTR_STRING' | 'TF_FLOAT', number>>
  executeSingleOutput(operation: string, attributes: readonly Attribute[], inputs: readonly tf.TensorInfo[]): tf.Tensor
}

interface Attribute {
  readonly name: string
  readonly type: number
  readonly value: number | string
}

/**
 * Loads tfjs-node 4.22 from a folder; it registers the backend `tensorflow`. Two things are put right: Node 23 took away
 * `util.isNullOrUndefined`, which it calls (tensorflow/tfjs#8609), and it lacks the kernel that turns the picture for BlazePose
 * (tensorflow/tfjs#6050).
 * @throws when it is not installed there, or its addon does not load.
 */
export const loadNative = (nativeDir: string): void => {
  Object.assign(util, { isNullOrUndefined: (value: unknown) => value === null || value === undefined })
  createRequire(join(nativeDir, 'package.json'))('@tensorflow/tfjs-node')
  tf.registerKernel({ kernelName: 'Transform', backendName: 'tensorflow', kernelFunc: transform })
}

/** TensorFlow's own operation under another name; its words for the modes are in upper case. */
const transform: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const native = backend as NativeBackend
  const { binding } = native
  const { image, transforms } = inputs
  if (image === undefined || transforms === undefined)
    throw new TypeError('Transform takes a picture and what to do with it')
  const { interpolation, fillMode, fillValue, outputShape } = attrs as unknown as tf.TransformAttrs
  const [, height = 0, width = 0] = image.shape
  const shape = tf.tensor1d(outputShape ?? [height, width], 'int32')
  const fill = tf.scalar(fillValue, 'float32')
  const text = (name: string, value: string) => ({ name, type: binding.TF_ATTR_STRING, value: value.toUpperCase() })
  const attributes = [
    { name: 'dtype', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    text('interpolation', interpolation),
    text('fill_mode', fillMode),
  ]
  const turned = native.executeSingleOutput('ImageProjectiveTransformV3', attributes, [image, transforms, shape, fill])
  tf.dispose([shape, fill])
  return turned
}
