import { type Config, readConfig } from '../config.ts'
import { openEnvironment, type ProcessEnvironment } from './environment.ts'
import { failureOf } from './failure.ts'
import { humanLines } from './log-lines.ts'
import { withoutSecrets } from './secrets-out.ts'
import { type Overrides, type System, startSystem } from './system.ts'
import { startTracing } from './tracing.ts'

/** Runs the system as a process of its own until SIGTERM or SIGINT, and ends the process. `json`: its log, also on a terminal. */
export const serve = async (overrides: Overrides = {}, { json = false } = {}): Promise<void> => {
  const startedAt = performance.now()
  try {
    const config = readConfig()
    const env = overrides.env ?? openEnvironment(config.logLevel, destination(json))
    endOnUnforeseen(env)
    const sendTraces = await startTracing(config, env)
    const system = await startSystem(config, { ...overrides, env })
    if (json || !isTerminal()) announceInLog(config, env, system, performance.now() - startedAt)
    else announce(config, system, performance.now() - startedAt)
    endOnSignal(env, () => system.stop().then(sendTraces))
  } catch (error) {
    const { exitCode, text } = failureOf(error)
    console.error(`wearon: ${withoutSecrets(text)}`)
    process.exit(exitCode)
  }
}

const isTerminal = (): boolean => process.stdout.isTTY

const destination = (json: boolean) =>
  isTerminal() && !json ? humanLines((text) => process.stdout.write(text)) : process.stdout

const rolesOf = ({ roles, redisUrl }: Config): string[] =>
  [...roles].filter((role) => role !== 'bridge' || redisUrl !== undefined)

const announceInLog = (config: Config, { logger }: ProcessEnvironment, { url }: System, ms: number): void => {
  const { choices, dataDir, partitions } = config
  const chosen = Object.fromEntries(choices.map(({ name, value, because }) => [name, `${value} (${because})`]))
  logger.info({ url, dataDir, roles: rolesOf(config), partitions, chosen, ms: Math.round(ms) }, 'started')
}

const announce = (config: Config, { url }: System, ms: number): void => {
  const { choices, dataDir, partitions } = config
  const lines = choices.map(({ name, value, because }) => `  ${name.padEnd(10)} ${value.padEnd(9)} ${because}`)
  console.log(`WearOn runs at ${url} (started in ${(ms / 1_000).toFixed(1)} s)
  data       ${dataDir}
  roles      ${rolesOf(config).join(', ')} on ${partitions} partitions
${lines.join('\n')}
  console    ${url}/console
  try        npm run wearon -- publish --charge    (in another terminal; watch it move in the console)
  stop       Ctrl-C`)
}

/** npm passes on the Ctrl-C that the terminal has sent to us already: that is no second one. */
const ECHO_MS = 300

/** The first signal hands everything over; a second one ends at once. */
const endOnSignal = ({ logger }: ProcessEnvironment, stop: () => Promise<void>): void => {
  let stoppingSince: number | null = null
  const end = (signal: NodeJS.Signals) => {
    if (stoppingSince !== null) {
      if (performance.now() - stoppingSince > ECHO_MS) process.exit(1)
      return
    }
    stoppingSince = performance.now()
    logger.info({ signal }, 'stopping: running generations may end, nothing new starts')
    stop().then(
      () => {
        logger.info({}, 'stopped')
        process.exit(0)
      },
      (error: unknown) => {
        logger.error({ error }, 'stopping failed')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
}

/** Nobody knows what state an unforeseen error left: what is durable is taken up by the next process. */
const endOnUnforeseen = ({ logger }: ProcessEnvironment): void => {
  const end = (error: unknown) => {
    logger.error({ error }, 'unforeseen error: the process ends')
    process.exit(1)
  }
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
}
