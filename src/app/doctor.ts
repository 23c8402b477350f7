import { type Config, ConfigError, readConfig } from '../config.ts'
import { type Diagnosis, fail, ok } from '../machines/ports/diagnosis.ts'
import { inTime } from '../machines/runtime/in-time.ts'
import { type Examination, examinationsOf } from './doctor/examinations.ts'
import { nodeDiagnosis } from './doctor/machine.ts'
import { openEnvironment, type ProcessEnvironment } from './environment.ts'
import { failureOf } from './failure.ts'

/** Looks at everything that a start needs, each part for so long at most, and changes nothing. Never rejects. */
export const examine = async (
  timeoutMs: number,
  variables?: Readonly<Record<string, string | undefined>>,
): Promise<Diagnosis[]> => {
  const node = nodeDiagnosis(process.versions.node)
  const config = configured(variables)
  if (Array.isArray(config)) return [node, ...config]
  const env = openEnvironment('silent')
  const found = await Promise.all(examinationsOf(config, env, timeoutMs).map((one) => within(one, timeoutMs, env)))
  return [node, ok('configuration', choicesOf(config)), ...found.flat()]
}

const configured = (variables: Parameters<typeof readConfig>[0]): Config | Diagnosis[] => {
  try {
    return readConfig(variables)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map((problem) => fail('configuration', problem, 'set it in the environment (.env.example)'))
  }
}

const choicesOf = ({ choices }: Config): string =>
  choices.map(({ name, value, because }) => `${name} ${value} (${because})`).join(', ')

const within = async (
  { about, remedy, run }: Examination,
  timeoutMs: number,
  env: ProcessEnvironment,
): Promise<Diagnosis[]> => {
  try {
    return await inTime(run(), timeoutMs, env.clock)
  } catch (error) {
    return [fail(about, reasonOf(error), remedy)]
  }
}

/** On one line; of what nobody foresaw without the stack. */
const reasonOf = (error: unknown): string => {
  const { text } = failureOf(error)
  const reason = error instanceof Error && text === error.stack ? error.message : text
  return reason.split('\n', 1)[0] ?? ''
}
