import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { z } from 'zod'

const Value = z.looseObject({ stringValue: z.string().optional(), intValue: z.coerce.number().optional() })
const Attributes = z
  .array(z.object({ key: z.string(), value: Value }))
  .default([])
  .transform((list) => Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue ?? value.intValue])))

const Sent = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  attributes: Attributes,
  status: z.object({ message: z.string().optional() }).default({}),
  links: z.array(z.looseObject({ traceId: z.string() })).default([]),
})

/** `ExportTraceServiceRequest` (OpenTelemetry protocol 1.x) in JSON, as far as tests ask. */
const Exported = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: Attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(Sent) })),
    }),
  ),
})

export type ReceivedSpan = z.infer<typeof Sent> & { readonly process: unknown }

/** A double of a collector of traces: takes OTLP over HTTP as JSON at `/v1/traces`, and keeps what came. */
export const startOtlpReceiver = async () => {
  const spans: ReceivedSpan[] = []
  const bodies: string[] = []
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      bodies.push(JSON.stringify(body))
      for (const { resource, scopeSpans } of Exported.parse(body).resourceSpans) {
        const process = resource.attributes['service.instance.id']
        for (const { spans: sent } of scopeSpans) spans.push(...sent.map((span) => ({ ...span, process })))
      }
      response.writeHead(request.url === '/v1/traces' ? 200 : 404, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    /** Everything that was sent, as text. */
    text: () => bodies.join('\n'),
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
