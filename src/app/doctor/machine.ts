import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { modelFiles } from '../../adapters/pose/model-files.ts'
import type { Config } from '../../config.ts'
import { type Diagnosis, fail, ok, warn } from '../../machines/ports/diagnosis.ts'

const NODE_MIN = 24

export const nodeDiagnosis = (version: string): Diagnosis =>
  Number.parseInt(version, 10) >= NODE_MIN
    ? ok('node', `version ${version}`)
    : fail('node', `version ${version}`, `start it with Node ${NODE_MIN} or later: npm run brings one along`)

const GB = 1024 ** 3
/** Images of some hours, and the log of an embedded database. */
const FREE_WARN_GB = 5
const FREE_FAIL_GB = 0.5

/** The data folder, and the room on its disk; before the first start, of the folder in which it will be made. */
export const folderDiagnoses = async ({ dataDir }: Pick<Config, 'dataDir'>): Promise<Diagnosis[]> => {
  const place = await existing(dataDir)
  const isThere = place === dataDir
  const mayWrite = await access(place, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!mayWrite)
    return [fail('data folder', `${place} cannot be written`, 'set DATA_DIR, or let this user write there')]
  const { bavail, bsize } = await statfs(place)
  const freeGb = (bavail * bsize) / GB
  return [
    ok('data folder', isThere ? `${dataDir} can be written` : `${dataDir} is made by the first start`),
    diskDiagnosis(place, freeGb),
  ]
}

const diskDiagnosis = (place: string, freeGb: number): Diagnosis => {
  const says = `${freeGb.toFixed(1)} GB are free at ${place}`
  if (freeGb < FREE_FAIL_GB) return fail('disk', says, 'make room: what cannot be written fails')
  return freeGb < FREE_WARN_GB
    ? warn('disk', says, `make room: below ${FREE_WARN_GB} GB a busy day may fill it`)
    : ok('disk', says)
}

/** The path, or the nearest folder above it that is there. */
const existing = async (path: string): Promise<string> => {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  return isThere || dirname(path) === path ? path : existing(dirname(path))
}

/** The networks that see bodies, where they are wanted. */
export const modelsDiagnoses = async ({ pose }: Pick<Config, 'pose'>): Promise<Diagnosis[]> => {
  if (pose === null) return [ok('body estimate', 'is turned off (POSE=off)')]
  const missing = await Promise.all(
    Object.keys(modelFiles).map((name) =>
      stat(join(pose.modelsDir, name)).then(
        () => [],
        () => [name],
      ),
    ),
  )
  const names = missing.flat()
  if (names.length === 0) return [ok('body estimate', `its networks lie in ${pose.modelsDir}`)]
  return [
    warn(
      'body estimate',
      `${names.join(', ')} not in ${pose.modelsDir}: it answers 503`,
      'npm run pose-models fetches them',
    ),
  ]
}

const OPENAI = 'api.openai.com'

/** Only the key's form: nobody is asked. */
export const providerDiagnosis = ({ openai, store }: Pick<Config, 'openai' | 'store'>): Diagnosis => {
  if (openai === null && store === 'embedded') return ok('provider', 'images are previews, made here')
  if (openai === null) return warn('provider', 'images are previews with a watermark', 'set OPENAI_API_KEY')
  const { host } = new URL(openai.baseUrl)
  if (host === OPENAI && !openai.apiKey.startsWith('sk-'))
    return warn('provider', 'OPENAI_API_KEY has not the form of a key of OpenAI (sk-…)', 'set the key itself')
  return ok('provider', `${openai.image.model} at ${host}, with a key of the right form`)
}
