import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { placesOf } from '../../src/cli/completion.ts'
import { newProgram } from '../../src/cli/program.ts'

const ROOT = join(import.meta.dirname, '../..')
const inDocs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
const pages = ['README.md', 'CONTRIBUTING.md', ...inDocs.map((file) => join('docs', file))]
  .filter((file) => file.endsWith('.md'))
  .map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }))

const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? '')

/** A heading as links name it: GitHub's way. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\- ]/gu, '')
    .replaceAll(' ', '-')
const anchorsOf = (file: string): string[] =>
  all(pages.find((page) => page.file === file)?.text ?? '', /^#+ (.*)$/gm).map(anchorOf)

/** Whether what a page links to is there, and the heading in it. */
const isThere = (from: string, link: string): boolean => {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? join(ROOT, from) : join(ROOT, dirname(from), path)
  return existsSync(target) && (anchor === undefined || anchorsOf(relative(ROOT, target)).includes(anchor))
}

const places = new Map(placesOf(newProgram()).map((place) => [place.path, place]))

/** What a command line says that the program does not know. */
const unknownIn = (line: string): string[] => {
  const words = line.split(/\s+#/)[0]?.trim().split(/\s+/) ?? []
  let path = ''
  let at = 0
  for (; places.has(`${path} ${words[at]}`.trim()); at++) path = `${path} ${words[at]}`.trim()
  const { commands = [], options = [] } = places.get(path) ?? {}
  const said = words.slice(at).filter((word) => word.startsWith('--'))
  const known = [...options.map(({ name }) => name), '--help', '--json', '--url']
  return [...(commands.length > 0 && said.length < words.length - at ? words.slice(at, at + 1) : []), ...said].filter(
    (word) => !known.includes(word),
  )
}

describe.each(pages)('$file', ({ file, text }) => {
  it('links to what is there', () => {
    const links = all(text.replaceAll(/```[\s\S]*?```/g, ''), /\]\(([^)\s]+)\)/g)
    expect(links.filter((link) => !/^https?:/.test(link) && !isThere(file, link))).toEqual([])
  })

  it('names scripts and commands that there are, with options that they take', () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')))
    expect(all(text, /\bnpm run (?:--silent )?([\w-]+)/g).filter((name) => !(name in scripts))).toEqual([])
    const inline = all(text, /`(?:npm run )?wearon (?:-- )?([^`]+)`/g).map((line) => line.replaceAll(/\s+/g, ' '))
    const blocks = all(text, /```sh\n([\s\S]*?)```/g).flatMap((block) => all(block, /^npm run wearon -- (.*)$/gm))
    // Any command.
    const lines = [...inline, ...blocks].filter((line) => line !== '…')
    expect(lines.flatMap((line) => unknownIn(line).map((word) => `${line}: ${word}`))).toEqual([])
  })
})
