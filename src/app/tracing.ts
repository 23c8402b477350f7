import { hostname } from 'node:os'
import { context, diag, trace } from '@opentelemetry/api'
import type { Config } from '../config.ts'
import type { Environment } from '../machines/ports/environment.ts'
import { openContexts } from './span-contexts.ts'

/** A collector that does not answer holds nothing up for longer, neither in its queue nor at the end. */
const SEND_MS = 5_000
const FLUSH_MS = 3_000

/** What of the packages is needed: they are optional, and only loaded when somebody wants traces. */
const loadSdk = async () => {
  const [sdk, otlp, resources] = await Promise.all([
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  return { ...sdk, ...otlp, ...resources }
}

/**
 * Sends spans as OTLP over HTTP where the configuration says so, from all of this process. Answers how to send what is left.
 * @throws TracingMissing where the optional packages are not installed.
 */
export const startTracing = async (
  { tracing, roles }: Pick<Config, 'tracing' | 'roles'>,
  { clock, logger, meter }: Environment,
): Promise<() => Promise<void>> => {
  if (tracing === null) return async () => {}
  const sdk = await loadSdk().catch(() => {
    throw new TracingMissing()
  })
  const onFault = (fault: string) => {
    meter.count('trace_faults_total')
    logger.warn({ fault }, 'traces could not be sent')
  }
  const quiet = () => {}
  diag.setLogger({ error: onFault, warn: onFault, info: quiet, debug: quiet, verbose: quiet })
  const exporter = new sdk.OTLPTraceExporter({ url: tracing.url, timeoutMillis: SEND_MS })
  const provider = new sdk.BasicTracerProvider({
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(tracing.ratio) }),
    resource: sdk.defaultResource().merge(
      sdk.resourceFromAttributes({
        'service.name': tracing.service,
        'service.instance.id': `${hostname()}:${process.pid}`,
        'wearon.roles': [...roles],
      }),
    ),
    spanProcessors: [new sdk.BatchSpanProcessor(exporter)],
  })
  context.setGlobalContextManager(openContexts())
  trace.setGlobalTracerProvider(provider)
  return () => Promise.race([provider.shutdown().catch(() => {}), clock.sleep(FLUSH_MS)])
}

/** Traces are wanted and cannot be made. */
export class TracingMissing extends Error {
  override readonly name = 'TracingMissing'

  constructor() {
    super('OTEL_EXPORTER_OTLP_ENDPOINT needs packages that are not installed: npm ci --include=optional')
  }
}
