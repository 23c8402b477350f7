import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { extname, join } from 'node:path'

/** A file as browsers get it. */
export interface ConsoleFile {
  readonly type: string
  readonly bytes: Buffer
  /** Its own mark: the browser asks with it, and gets nothing again that it has. */
  readonly etag: string
}

const PAGE = join(import.meta.dirname, '../console/page')
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  // A browser asks for the type and not for the name: modules keep the names that their imports say.
  '.ts': 'text/javascript; charset=utf-8',
}

/** The files of the console by their names, such as `lib/dom.ts`; TypeScript without its types, which is all that a browser needs. */
export const readConsoleFiles = (): ReadonlyMap<string, ConsoleFile> => {
  const names = readdirSync(PAGE, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => extname(name) in TYPES)
  return new Map(names.map((name) => [name, fileOf(name, names)]))
}

const fileOf = (name: string, names: readonly string[]): ConsoleFile => {
  const text = readFileSync(join(PAGE, name), 'utf8')
  const bytes = Buffer.from(served(name, text, names))
  const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`
  return { type: TYPES[extname(name)] ?? '', bytes, etag }
}

const served = (name: string, text: string, names: readonly string[]): string => {
  if (name === 'index.html') return text.replace('</head>', `${preloads(names)}</head>`)
  // Types become spaces, so that lines stay where they are; none of the spaces at a line's end is needed.
  return name.endsWith('.ts') ? stripTypeScriptTypes(text).replaceAll(/[ \t]+$/gm, '') : text
}

/** All modules are asked for at once, instead of one after the other as each names the next. */
const preloads = (names: readonly string[]): string =>
  names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `<link rel="modulepreload" href="/console/files/${name}">`)
    .join('')
