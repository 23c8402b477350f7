import type { Variables } from './variables.ts'

/** Where spans go, under which name, and which share of the traces that begin here. The names are OpenTelemetry's own. */
export const tracingOf = (
  variables: Variables,
): { readonly url: string; readonly service: string; readonly ratio: number } | null => {
  const endpoint = variables.OTEL_EXPORTER_OTLP_ENDPOINT
  if (endpoint === undefined) return null
  return {
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    service: variables.OTEL_SERVICE_NAME,
    ratio: variables.OTEL_TRACES_SAMPLER_ARG,
  }
}
