// Fits the body estimate: npm run fit-body [folder of ANSUR II and NHANES] [folder of the rendered bodies].
// Writes src/body/coefficients.json (the same bytes for the same data) and prints how well they do on people held out.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fitAll, proportionsOf, SEED, shapesOf, split } from './fit-body/fit.ts'
import { fitInstruments, readRendered } from './fit-body/instrument.ts'
import { NOISE } from './fit-body/noise.ts'
import { readAnsur, readNhanes } from './fit-body/people.ts'
import { report } from './fit-body/report.ts'

const ROOT = join(import.meta.dirname, '..')
const SHARED = join(ROOT, '../shared/data')
const [anthropometry = join(SHARED, 'anthropometry'), rendered = join(SHARED, 'body/synthetic')] = process.argv.slice(2)

const ansur = readAnsur(anthropometry)
const bodies = readRendered(rendered)
const { training, heldOut } = split(ansur.people)
const models = fitAll(training)
const instruments = fitInstruments(bodies.bodies, ansur.people, models)

write({
  provenance: {
    command: 'npm run fit-body',
    people: 'ANSUR II (US Army, measured 2010-2012, public domain)',
    rendered: 'MakeHuman bodies (CC0) as BlazePose full and its mask see them',
    sources: [...ansur.sources, bodies.source],
    seed: SEED,
    trainedOn: new Set(training.map(({ person }) => person)).size,
    heldOut: heldOut.length,
    noise: NOISE,
  },
  models,
  instruments,
  shapes: shapesOf(ansur.people),
  proportions: proportionsOf(ansur.people),
})
for (const line of report({
  people: ansur.people,
  training,
  heldOut,
  models,
  instruments,
  bodies: bodies.bodies,
  nhanes: readNhanes(anthropometry),
}))
  console.log(line)

function write(fitted: unknown): void {
  const file = join(ROOT, 'src/body/coefficients.json')
  writeFileSync(file, JSON.stringify(fitted))
  const biome = join(ROOT, 'node_modules/.bin/biome')
  const { status, stderr } = spawnSync(biome, ['format', '--write', file], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`biome could not format ${file}: ${stderr}`)
}
