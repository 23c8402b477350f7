import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import type { Backend } from '../messages.ts'
import { loadNative } from './native.ts'

/**
 * Starts the wanted implementation of TensorFlow. `auto`: the native one where it is installed and loads, else WebAssembly.
 * @param nativeDir the folder that `scripts/pose-native.sh` fills.
 * @throws when the wanted one does not start.
 */
export const startBackend = async (wanted: Backend | 'auto', nativeDir: string): Promise<Backend> => {
  if (wanted === 'wasm') return startWasm()
  try {
    return await startNative(nativeDir)
  } catch (error) {
    if (wanted === 'node') throw error
    return startWasm()
  }
}

const startNative = async (nativeDir: string): Promise<Backend> => {
  loadNative(nativeDir)
  if (!(await tf.setBackend('tensorflow'))) throw new Error('the native engine does not start')
  return 'node'
}

const startWasm = async (): Promise<Backend> => {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm')
  const file = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm')
  setWasmPaths(dirname(file) + sep)
  if (!(await tf.setBackend('wasm'))) throw new Error('the WebAssembly engine does not start')
  return 'wasm'
}
