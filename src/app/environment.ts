import { randomUUID } from 'node:crypto'
import pino, { type DestinationStream } from 'pino'
import { steadyClock } from '../adapters/system/clock.ts'
import type { Config } from '../config.ts'
import { PromMeter } from '../http/prom-meter.ts'
import type { Environment } from '../machines/ports/environment.ts'
import { errorFields } from './error-fields.ts'
import { withoutSecrets } from './secrets-out.ts'

/** What is not pure, for one process; its metrics are also what HTTP exposes. */
export interface ProcessEnvironment extends Environment {
  readonly meter: PromMeter
}

/** The machine's clock, ids and chance, a log of JSON lines that tell no secrets, and metrics. */
export const openEnvironment = (
  level: Config['logLevel'],
  destination: DestinationStream = process.stdout,
): ProcessEnvironment => {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (error: unknown) => errorFields(error) },
      hooks: { streamWrite: withoutSecrets },
    },
    destination,
  )
  const onUnknown = (error: Error) => logger.error({ error }, 'a metric is not in the table of metrics')
  return {
    clock: steadyClock(),
    meter: new PromMeter({ processMetrics: true, onUnknown }),
    logger,
    newId: () => randomUUID(),
    random: () => Math.random(),
  }
}
