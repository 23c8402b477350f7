import { createHash } from 'node:crypto'
import { openapiOf, templateOf } from './openapi.ts'
import { problems } from './problem.ts'
import type { Route } from './route.ts'

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2.5rem;text-transform:capitalize}
section{border-top:1px solid color-mix(in srgb,currentColor 20%,transparent);padding:.5rem 0}
h3{font-size:1rem;margin:.5rem 0}code,pre{font-family:ui-monospace,monospace;font-size:.9em}
pre{overflow-x:auto;padding:.75rem;background:color-mix(in srgb,currentColor 8%,transparent)}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0}
.method{font-weight:700}`

/** What lets the page's own style in, and nothing else. */
export const DOCS_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`

/** The API for a person to read: one page, without scripts and without anything from elsewhere. */
export const docsPage = (routes: readonly Route[]): string => {
  const { paths } = openapiOf(routes) as { paths: Record<string, Record<string, Operation>> }
  const operations = routes.map((route) => ({ route, operation: paths[templateOf(route.path)]?.[route.method] }))
  const groups = [...Map.groupBy(operations, ({ operation }) => operation?.tags[0] ?? '')]
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>WearOn worker: API</title><style>${STYLE}</style></head>
<body>
<h1>WearOn worker: API</h1>
<p>The same for programs: <a href="/openapi.json">openapi.json</a>. Send a key as <code>Authorization: Bearer wk_…</code>. Times are
ISO 8601 in UTC. <code>X-Request-Id</code> of an answer names the request in logs and audit.</p>
<nav aria-label="Parts"><ul>${groups.map(([tag]) => `<li><a href="#${escape(tag)}">${escape(tag)}</a></li>`).join('')}</ul></nav>
<main>
${groups.map(([tag, ofTag]) => `<h2 id="${escape(tag)}">${escape(tag.replaceAll('-', ' '))}</h2>\n${ofTag.map(sectionOf).join('\n')}`).join('\n')}
<h2 id="problems">problems</h2>
<p>Every error is a problem (RFC 9457) with one of these codes.</p>
<table><thead><tr><th scope="col">code</th><th scope="col">status</th><th scope="col">what it says</th></tr></thead>
<tbody>${Object.entries(problems)
    .map(
      ([code, { status, detail }]) =>
        `<tr><td><code>${code}</code></td><td>${status}</td><td>${escape(detail)}</td></tr>`,
    )
    .join('\n')}</tbody></table>
</main>
</body>
</html>
`
}

type Content = Readonly<Record<string, { readonly schema?: object }>>

interface Operation {
  readonly tags: readonly string[]
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: object }[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: { readonly '2XX': { readonly content?: Content } }
}

const sectionOf = ({ route, operation }: { route: Route; operation: Operation | undefined }): string => `<section>
<h3><span class="method">${route.method.toUpperCase()}</span> <code>${escape(templateOf(route.path))}</code></h3>
<p>${escape(route.title)}. ${accessText(route)}</p>
${parameterTable(operation)}${shown('Takes', operation?.requestBody?.content)}${shown('Answers', operation?.responses['2XX'].content)}</section>`

const accessText = ({ access }: Route): string => {
  if (access.kind === 'open') return 'Open to all.'
  if (access.kind === 'console') return "Open to all once there is a key; before, on the server's own machine."
  if (access.kind === 'known') return 'Needs any key.'
  const reach =
    access.kind === 'service' ? '; not for a key of one store or user' : '; a key of one store or user sees its own'
  return `Needs the scope <code>${access.scope}</code>${reach}.`
}

const parameterTable = (operation: Operation | undefined): string => {
  const rows = operation?.parameters ?? []
  if (rows.length === 0) return ''
  const body = rows.map(
    ({ name, in: place, schema }) =>
      `<tr><td><code>${escape(name)}</code></td><td>${place}</td><td><code>${escape(JSON.stringify(schema))}</code></td></tr>`,
  )
  return `<table><thead><tr><th scope="col">parameter</th><th scope="col">in</th><th scope="col">schema</th></tr></thead><tbody>${body.join('')}</tbody></table>`
}

const shown = (what: string, content: Content | undefined): string =>
  Object.entries(content ?? {})
    .map(([type, { schema }]) =>
      schema === undefined
        ? `<p>${what} <code>${escape(type)}</code>.</p>`
        : `<details><summary>${what} <code>${escape(type)}</code></summary><pre>${escapeText(JSON.stringify(schema, null, 1))}</pre></details>`,
    )
    .join('')

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Between tags quotes are themselves: a schema has thousands. */
const escapeText = (text: string): string => text.replaceAll(/[&<>]/g, (character) => ENTITIES[character] ?? '')

const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
