import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { LENGTHS, LEVELS, type Length, type Level } from '../../src/body/features.ts'
import { byName, calibrated, type SeenFeatures, widthVector } from '../../src/body/instrument.ts'
import { type Instrument, type Linear, SEX_CLASSES, type SexClass } from '../../src/body/model.ts'
import { measureBy } from '../../src/body/regression.ts'
import { type Models, ofClass, round, rounded } from './fit.ts'
import type { Person, Source } from './people.ts'
import { at, deviation, gram, mean, solve } from './ridge.ts'

/** Keeps the conversion near to what is seen where the rendered bodies say little; per body, on ratios to stature. */
const RIDGE = 0.03
const DEPTH_RIDGE = 0.001

/** The one body whose picture the tests look at; nothing is learned from it. The others in their pictures are not in this file. */
const PICTURED = 0

const cm = z.number().positive()
const Rendered = z.array(
  z.object({
    i: z.int(),
    sex: z.enum(['male', 'female']),
    t: z.object({ stature: cm, chest: cm, waist: cm, hip: cm }),
    e: z.object({
      shoulder: cm,
      hipJ: cm,
      uparm: cm,
      forearm: cm,
      thigh: cm,
      shank: cm,
      wChest: cm,
      wWaist: cm,
      wHip: cm,
      dChest: cm,
      dWaist: cm,
      dHip: cm,
    }),
  }),
)

/** A rendered body with its girths in cm, and what BlazePose full and its mask see of it. */
export interface RenderedBody {
  readonly sex: Person['sex']
  readonly seen: Required<Omit<SeenFeatures, 'weightKg' | 'ageYears'>>
  readonly truth: Readonly<Record<Level, number>>
}

/** Rendered MakeHuman bodies (CC0), but for the one whose picture is a test. */
export function readRendered(folder: string): { bodies: RenderedBody[]; source: Source } {
  const file = 'measured-246.json'
  const bytes = readFileSync(join(folder, file))
  const bodies = Rendered.parse(JSON.parse(bytes.toString('utf8')))
    .filter(({ i }) => i !== PICTURED)
    .map(({ sex, t, e }) => ({
      sex,
      seen: {
        statureCm: t.stature,
        lengths: {
          shoulder: e.shoulder,
          hips: e.hipJ,
          upperArm: e.uparm,
          forearm: e.forearm,
          thigh: e.thigh,
          shank: e.shank,
        },
        widths: { chest: e.wChest, waist: e.wWaist, hip: e.wHip },
        depths: { chest: e.dChest, waist: e.dWaist, hip: e.dHip },
      },
      truth: { chest: t.chest, waist: t.waist, hip: t.hip },
    }))
  return { bodies, source: { file, sha256: createHash('sha256').update(bytes).digest('hex'), people: bodies.length } }
}

/** Converts what is seen so that the regressions, which only know calipers, find the rendered bodies' girths. */
export function fitInstruments(
  rendered: readonly RenderedBody[],
  people: readonly Person[],
  models: Readonly<Record<SexClass, Readonly<Record<'LF' | 'LFS', Models>>>>,
): Record<SexClass, Instrument> {
  return byName(SEX_CLASSES, (sex) => {
    const bodies = rendered.filter((body) => ofClass(sex, body))
    const lengths = lengthFactors(
      bodies,
      people.filter((person) => ofClass(sex, person)),
    )
    const bare = { lengths, widths: AS_SEEN, depths: { chest: 1, waist: 1, hip: 1 } }
    const withWidths = { ...bare, widths: fitWidths(bodies, bare, models[sex]['LF']) }
    return { ...withWidths, depths: fitDepths(bodies, withWidths, models[sex]['LFS']) }
  })
}

/** Both kinds of bodies are the same on average. */
function lengthFactors(bodies: readonly RenderedBody[], people: readonly Person[]): Record<Length, number> {
  return byName(LENGTHS, (name) => {
    const caliper = mean(people.map(({ features }) => features.lengths[name] / features.statureCm))
    return round(caliper / mean(bodies.map(({ seen }) => seen.lengths[name] / seen.statureCm)))
  })
}

/** weights of `widthVector` that leave a width as it is. */
const AS_SEEN: Record<Level, Linear> = {
  chest: { intercept: 0, weights: [0, 1, 0, 0] },
  waist: { intercept: 0, weights: [0, 0, 1, 0] },
  hip: { intercept: 0, weights: [0, 0, 0, 1] },
}

function fitWidths(bodies: readonly RenderedBody[], bare: Instrument, models: Models): Record<Level, Linear> {
  const vectors = bodies.map(({ seen }) => widthVector(seen.statureCm, seen.widths))
  const means = at(vectors, 0).map((_, i) => mean(vectors.map((vector) => at(vector, i))))
  const deviations = at(vectors, 0).map((_, i) => deviation(vectors.map((vector) => at(vector, i))))
  const standard = vectors.map((vector) => [1, ...vector.map((value, i) => (value - at(means, i)) / at(deviations, i))])
  // Three widths by five terms, one after the other: every girth depends on all three widths.
  const fromFront = bodies.map(({ truth, seen: { depths: _depths, ...seen } }) => ({ truth, seen }))
  const corrections = correct(
    fromFront,
    bare,
    models,
    (level, i) => {
      const slopes = models[level].weights.slice(WIDTHS_FROM, WIDTHS_FROM + LEVELS.length)
      return slopes.flatMap((slope) => at(standard, i).map((term) => slope * term))
    },
    RIDGE,
  )
  return byName(LEVELS, (level) => {
    const own = corrections.slice(LEVELS.indexOf(level) * (means.length + 1)).slice(0, means.length + 1)
    const weights = deviations.map((spread, i) => at(own, i + 1) / spread)
    const intercept = at(own, 0) - weights.reduce((sum, weight, i) => sum + weight * at(means, i), 0)
    return rounded({ intercept, weights: weights.map((weight, i) => weight + at(AS_SEEN[level].weights, i)) })
  })
}

function fitDepths(bodies: readonly RenderedBody[], bare: Instrument, models: Models): Record<Level, number> {
  const corrections = correct(
    bodies,
    bare,
    models,
    (level, i) => {
      const { depths, statureCm } = at(bodies, i).seen
      return LEVELS.map((of, place) => (at(models[level].weights, DEPTHS_FROM + place) * depths[of]) / statureCm)
    },
    DEPTH_RIDGE,
  )
  return byName(LEVELS, (level) => round(1 + at(corrections, LEVELS.indexOf(level))))
}

/** Where widths and depths begin in `featureVector`: behind the stature and the lengths. */
const WIDTHS_FROM = 1 + LENGTHS.length
const DEPTHS_FROM = WIDTHS_FROM + LEVELS.length

/** Terms that bring the three girths of all bodies, as ratios to stature, nearest to the truth. */
function correct(
  bodies: readonly { readonly seen: SeenFeatures; readonly truth: RenderedBody['truth'] }[],
  bare: Instrument,
  models: Models,
  effectOf: (level: Level, body: number) => number[],
  strength: number,
): number[] {
  const equations = bodies.flatMap(({ seen, truth }, i) =>
    LEVELS.map((level) => ({
      terms: effectOf(level, i),
      missing: (truth[level] - measureBy(models, calibrated(seen, bare))[level].cm) / seen.statureCm,
    })),
  )
  const rows = equations.map(({ terms }) => terms)
  const right = at(rows, 0).map((_, i) =>
    equations.reduce((sum, { terms, missing }) => sum + at(terms, i) * missing, 0),
  )
  return solve(gram(rows, strength * bodies.length), right)
}
