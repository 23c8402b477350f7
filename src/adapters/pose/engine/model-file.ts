import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { io } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** A network in TensorFlow.js' own format: its graph, the names of its inputs and outputs, how its weights lie in the `.bin`. */
const Network = z.object({
  modelTopology: z.looseObject({}),
  signature: z.looseObject({}),
  weightsManifest: z.tuple([z.object({ weights: z.array(z.custom<io.WeightsManifestEntry>()).min(1) })]),
})

/** Hands TensorFlow.js a network from a folder. Its `load` rejects when a file is missing or is no network. */
export const modelFile = (folder: string, name: string): io.IOHandler => ({
  load: async () => {
    const [text, weights] = await Promise.all([read(folder, `${name}.json`), read(folder, `${name}.bin`)])
    const { modelTopology, signature, weightsManifest } = Network.parse(JSON.parse(text.toString()))
    const { buffer, byteOffset, byteLength } = weights
    return {
      modelTopology,
      signature,
      weightSpecs: weightsManifest[0].weights,
      weightData: buffer.slice(byteOffset, byteOffset + byteLength),
    }
  },
})

const read = async (folder: string, file: string): Promise<Buffer<ArrayBuffer>> => {
  try {
    return await readFile(join(folder, file))
  } catch (error) {
    throw new Error(`${file} cannot be read from ${folder} (npm run pose-models fetches it)`, { cause: error })
  }
}
