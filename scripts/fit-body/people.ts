import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BodyFeatures } from '../../src/body/features.ts'
import type { Output } from '../../src/body/model.ts'

/** A person of ANSUR II, measured by hand: all that a tier may know, and what is to be estimated, in cm, kg, years. */
export interface Person {
  readonly sex: 'male' | 'female'
  readonly features: Required<BodyFeatures>
  readonly truth: Readonly<Record<Output, number>>
}

/** A file as it was read. */
export interface Source {
  readonly file: string
  readonly sha256: string
  readonly people: number
}

/** All people of ANSUR II (2012, public domain): 4,082 men and 1,986 women of the US Army. */
export function readAnsur(folder: string): { people: Person[]; sources: Source[] } {
  const men = readTable(folder, 'ANSUR_II_MALE_Public.csv')
  const women = readTable(folder, 'ANSUR_II_FEMALE_Public.csv')
  return {
    people: [...men.rows.map((row) => personOf('male', row)), ...women.rows.map((row) => personOf('female', row))],
    sources: [men.source, women.source],
  }
}

function personOf(sex: Person['sex'], cell: (column: string) => number): Person {
  const cm = (column: string) => cell(column) / 10
  const knee = cm('lateralfemoralepicondyleheight')
  return {
    sex,
    features: {
      statureCm: cm('stature'),
      lengths: {
        shoulder: cm('biacromialbreadth'),
        hips: cm('bicristalbreadth'),
        upperArm: cm('shoulderelbowlength'),
        forearm: cm('radialestylionlength'),
        thigh: cm('trochanterionheight') - knee,
        shank: knee - cm('lateralmalleolusheight'),
      },
      widths: { chest: cm('chestbreadth'), waist: cm('waistbreadth'), hip: cm('hipbreadth') },
      depths: { chest: cm('chestdepth'), waist: cm('waistdepth'), hip: cm('buttockdepth') },
      // The column is in units of 100 g.
      weightKg: cell('weightkg') / 10,
      ageYears: cell('Age'),
    },
    truth: {
      chest: cm('chestcircumference'),
      waist: cm('waistcircumference'),
      hip: cm('buttockcircumference'),
      shoulder: cm('biacromialbreadth'),
      inseam: cm('crotchheight'),
    },
  }
}

/** Adults of NHANES 2017-2020 (public domain), civilians: weight, height, upper leg, arm, arm girth, hip, waist: kg and cm. */
export function readNhanes(
  folder: string,
): { sex: Person['sex']; statureCm: number; weightKg: number; waist: number; hip: number }[] {
  return (['male', 'female'] as const).flatMap((sex) =>
    lines(readFileSync(join(folder, `nhanes_adult_${sex}_bmx_2020.csv`), 'latin1'))
      .map((line) => line.split(',').map(Number))
      .map(([weightKg = NaN, statureCm = NaN, , , , hip = NaN, waist = NaN]) => ({
        sex,
        statureCm,
        weightKg,
        waist,
        hip,
      }))
      .filter(({ statureCm, weightKg, waist, hip }) => statureCm * weightKg * waist * hip > 0),
  )
}

function readTable(folder: string, file: string): { rows: ((column: string) => number)[]; source: Source } {
  const bytes = readFileSync(join(folder, file))
  // A few names of birthplaces are Latin 1.
  const [head = '', ...rest] = lines(bytes.toString('latin1'))
  const place = new Map(head.split(',').map((column, index) => [column, index]))
  const rows = rest.map((line) => {
    const cells = line.split(',')
    return (column: string) => numberAt(cells[place.get(column) ?? -1], `${file}: ${column}`)
  })
  return { rows, source: { file, sha256: createHash('sha256').update(bytes).digest('hex'), people: rows.length } }
}

function numberAt(cell: string | undefined, where: string): number {
  const value = Number(cell)
  if (!(value > 0)) throw new Error(`${where} holds ${cell}, not a measurement`)
  return value
}

const lines = (text: string): string[] => text.trim().split(/\r?\n/)
