// Holds the directions between the rooms of src/ (scripts/rooms.ts), and first proves on planted violations that it would see one.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cruise } from 'dependency-cruiser'
import { isInListedRoom, roomRules } from './rooms.ts'
import { PLANTED } from './rooms-planted.ts'

const ROOT = join(import.meta.dirname, '..')

const blind = await violationsNotSeen()
for (const line of blind) console.error(`rooms: a planted violation was not judged right: ${line}`)

const { violations, filesRead } = await inspect(ROOT)
for (const violation of violations) console.error(`rooms: ${violation}`)

if (blind.length > 0 || violations.length > 0) process.exitCode = 1
else console.log(`rooms: ${filesRead} files keep to their directions, ${PLANTED.length} planted cases judged right`)

/** Builds a small project out of the planted cases and returns those that the rules judged wrong. */
async function violationsNotSeen(): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'rooms-'))
  try {
    await plant(folder)
    const { violations: seen } = await inspect(folder)
    return PLANTED.flatMap(({ file, rule }) => {
      const rules = seen.filter((line) => line.startsWith(`${file} `)).map((line) => line.match(/\[(.*?)\]/)?.[1])
      const right = rule === undefined ? rules.length === 0 : rules.includes(rule)
      return right ? [] : [`${file}: expected ${rule ?? 'nothing'}, saw ${rules.join(', ') || 'nothing'}`]
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function plant(folder: string): Promise<void> {
  const files = PLANTED.map(({ file, text }) => [file, text] as const)
  const packages = ['pg', 'sharp', 'fast-check'].flatMap((name) => [
    [`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' })] as const,
    [`node_modules/${name}/index.js`, 'module.exports = {}'] as const,
  ])
  const manifest = { type: 'module', dependencies: { pg: '*', sharp: '*' }, devDependencies: { 'fast-check': '*' } }
  for (const [file, text] of [...files, ...packages, ['package.json', JSON.stringify(manifest)] as const]) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await writeFile(join(folder, file), text)
  }
}

/** Every violation as `FROM -> TO [RULE] why`. Reading fewer files than lie in src/ is one too: it would pass without a look. */
async function inspect(folder: string): Promise<{ violations: string[]; filesRead: number }> {
  const files = await sourceFiles(folder)
  const { output } = await cruise(
    ['src'],
    {
      baseDir: folder,
      // TypeScript 7 has no JavaScript API, so swc reads the sources; type-only imports count as imports.
      parser: 'swc',
      tsPreCompilationDeps: true,
      doNotFollow: { path: 'node_modules' },
      validate: true,
      ruleSet: { forbidden: roomRules() },
    },
    { extensions: ['.ts', '.js', '.json'], conditionNames: ['import', 'node', 'default'], exportsFields: ['exports'] },
  )
  if (typeof output === 'string') throw new Error('dependency-cruiser answered with text instead of a result')
  const read = new Set(output.modules.map((module) => module.source))
  const why = new Map(roomRules().map((rule) => [rule.name, rule.comment]))
  return {
    filesRead: files.filter((file) => read.has(file)).length,
    violations: [
      ...output.summary.violations.map(
        ({ from, to, rule }) => `${from} -> ${to} [${rule.name}] ${why.get(rule.name) ?? ''}`,
      ),
      ...files.filter((file) => !read.has(file)).map((file) => `${file} -> ? [not-read] the checker did not read it`),
      ...files
        .filter((file) => !isInListedRoom(file))
        .map((file) => `${file} -> ? [unlisted-room] list it in scripts/rooms.ts`),
      ...(files.length === 0 ? ['src/ -> ? [nothing-read] no source file found'] : []),
    ],
  }
}

async function sourceFiles(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'src'), { recursive: true })
  return names.filter((name) => name.endsWith('.ts')).map((name) => `src/${name}`)
}
