import { Problem } from './problem.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The value that a body's bytes say in JSON. @throws Problem `invalid_json` */
export const readJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(utf8.decode(bytes)) as unknown
  } catch (error) {
    throw new Problem('invalid_json', { cause: error })
  }
}
