import {
  type Attributes,
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'

export { type Span, SpanKind } from '@opentelemetry/api'

/** How work shows in a trace. Attributes and names are bounded in number, and hold no URL and nothing of a person. */
export interface SpanOptions {
  readonly kind?: SpanKind
  readonly attributes?: Attributes
  /** What brought the work about, in another process or long ago; without it, the span that is open here. */
  readonly parent?: string | undefined
  /** Of work for a batch: whom it was done for. */
  readonly links?: Link[]
}

const tracer = trace.getTracer('wearon-worker')

/** Begins a span that the caller ends. Costs next to nothing where no traces are sent (`src/app/tracing.ts`). */
export const beginSpan = (name: string, options: SpanOptions): Span => {
  const { kind = SpanKind.INTERNAL, attributes = {}, links = [] } = options
  const around = 'parent' in options ? contextOf(options.parent) : context.active()
  return tracer.startSpan(name, { kind, attributes, links }, around)
}

/** Runs work in a span: what it begins lies in it. A rejection shows as an error by its class, never by its words. */
export const inSpan = async <Value>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<Value>,
): Promise<Value> => {
  const span = beginSpan(name, options)
  try {
    return await within(span, () => work(span))
  } catch (error) {
    fail(span, error instanceof Error ? error.name : 'not an Error')
    throw error
  } finally {
    span.end()
  }
}

/** Runs work with the span open. */
export const within = <Value>(span: Span, work: () => Value): Value =>
  context.with(trace.setSpan(context.active(), span), work)

/** Marks what a span shows as failed. @param code one of few: a code or the class of an error. */
export const fail = (span: Span, code: string): void => {
  span.setStatus({ code: SpanStatusCode.ERROR, message: code })
}

/** What to send along so that others' spans become children of this one; undefined where there is no trace. */
export const traceparentOf = (span: Span): string | undefined => {
  const { traceId, spanId, traceFlags } = span.spanContext()
  if (!trace.isSpanContextValid(span.spanContext())) return undefined
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

/** The id under which a line of the log finds its trace. */
export const traceOf = (span: Span): { readonly traceId?: string } =>
  trace.isSpanContextValid(span.spanContext()) ? { traceId: span.spanContext().traceId } : {}

/** Shows nothing. */
export const noSpan: Span = trace.wrapSpanContext(INVALID_SPAN_CONTEXT)

/** The link from work of a batch to one of those whom it was done for. */
export const linkTo = (traceparent: string): Link[] => {
  const linked = trace.getSpanContext(contextOf(traceparent))
  return linked === undefined ? [] : [{ context: linked }]
}

/** The context that a well-formed traceparent stands for; the root without one. */
const contextOf = (traceparent: string | undefined): Context => {
  const [, traceId = '', spanId = '', flags = '00'] = traceparent?.split('-') ?? []
  const parent = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return trace.isSpanContextValid(parent) ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT
}
