// Fails when the lock file and package.json differ, or when the lock file lacks a package that some other system needs:
// `npm ci` refuses both, and npm leaves the latter behind without a word when a version is not published for every system yet.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const Versions = z.record(z.string(), z.string()).default({})
const Manifest = z.object({ dependencies: Versions, devDependencies: Versions, optionalDependencies: Versions })
const Lock = z.object({ packages: z.record(z.string(), Manifest) })

const ROOT = join(import.meta.dirname, '..')
const manifest = Manifest.parse(json('package.json'))
const { packages } = Lock.parse(json('package-lock.json'))

const faults = [...differences(), ...missingSystems()]
for (const fault of faults) console.error(`lock: ${fault}`)
if (faults.length > 0) process.exitCode = 1
else console.log(`lock: ${Object.keys(packages).length} packages, for every system`)

function differences(): string[] {
  const same = JSON.stringify(sorted(manifest)) === JSON.stringify(sorted(packages[''] ?? Manifest.parse({})))
  return same ? [] : ['package.json asks for other packages than package-lock.json has; run npm install']
}

function missingSystems(): string[] {
  const locked = new Set(Object.keys(packages).map((path) => path.split('node_modules/').at(-1)))
  return Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !locked.has(name))
      .map((name) => `${path} needs ${name} on some systems, and no such version was found; take an older ${path}`),
  )
}

function sorted({ dependencies, devDependencies, optionalDependencies }: z.infer<typeof Manifest>): string[] {
  return [dependencies, devDependencies, optionalDependencies].flatMap(Object.entries).map(String).toSorted()
}

function json(file: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, file), 'utf8'))
}
