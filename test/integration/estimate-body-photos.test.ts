import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { PoseEngine } from '../../src/machines/ports/pose.ts'
import { drawPerson } from '../../src/pictures/draw.ts'
import { eventually } from '../support/eventually.ts'
import { allReady, engineProcesses, networksAreHere, openPool } from '../support/pose.ts'
import { type BodyWorld, openBodyWorld } from '../support/pose-world.ts'
import { json } from './http-world.ts'

const shared = join(import.meta.dirname, '../../../shared/data/body')
const manifest = join(shared, 'manifest.json')
const Row = z.object({ file: z.string(), status: z.number(), reasons: z.array(z.string()).optional() })
const rows = existsSync(manifest) ? z.array(Row).parse(JSON.parse(readFileSync(manifest, 'utf8'))) : []
const odd = rows.filter(({ file }) => file.startsWith('odd/'))
/** `ALL_PHOTOS=1` takes every photo instead of a few of each kind. */
const FEW = /full_saif1|full_linda|neg_group2|neg_sitting|neg_half_celeste|neg_none_cat/
const photos = rows.filter(
  ({ file }) => /^(?:photos|synthetic)\//.test(file) && (process.env['ALL_PHOTOS'] || FEW.test(file)),
)

/** A busy machine is no fault of ours: how long an answer takes is a benchmark's question. */
const PATIENCE_MS = 60_000
const patient = { deadlineMs: PATIENCE_MS, fetchMs: PATIENCE_MS }
const AT_ONCE = 4
const chest = z.object({
  measurements: z.object({ chest_cm: z.number() }),
  intervals: z.object({ chest_cm: z.object({ lower: z.number(), upper: z.number() }) }),
})

describe.skipIf(!networksAreHere)('a real model behind POST /estimate-body', { timeout: 2 * PATIENCE_MS }, () => {
  let engine: PoseEngine
  let person: Uint8Array
  let world: BodyWorld
  beforeAll(async () => {
    engine = openPool({ workers: 2, waitingMax: 4, deadlineMs: PATIENCE_MS })
    person = await drawPerson(2)
    await allReady(engine)
  }, PATIENCE_MS)
  afterEach(() => world.close())
  afterAll(() => engine.close())

  const openOn = async (files: Readonly<Record<string, Uint8Array>>) => {
    world = await openBodyWorld({ engine, files, ...patient })
  }
  const chestOf = async (path: string) => {
    const answer = await world.estimate({ image_url: world.urlOf(path) })
    const { measurements, intervals } = chest.parse(await json(answer))
    return { cm: measurements.chest_cm, ...intervals.chest_cm }
  }

  test('measures a drawn person alike in files of every kind', async () => {
    const kinds: Record<string, (picture: Sharp) => Sharp> = {
      cmyk: (picture) => picture.toColourspace('cmyk').jpeg(),
      bits16: (picture) => picture.toColourspace('rgb16').png(),
      palette: (picture) => picture.png({ palette: true }),
      avif: (picture) => picture.avif({ effort: 0 }),
      webp: (picture) => picture.webp(),
      gif: (picture) => picture.gif(),
      onItsSide: (picture) => picture.rotate(90).withMetadata({ orientation: 8 }).jpeg(),
      large: (picture) => picture.resize(3_000).jpeg(),
    }
    const made = await Promise.all(
      Object.entries(kinds).map(async ([kind, as]) => [kind, await as(sharp(person)).toBuffer()] as const),
    )
    await openOn({ plain: person, ...Object.fromEntries(made) })
    const plain = await chestOf('plain')
    // Arms hide a drawn trunk, so that its girths rest on lengths alone: where a copy leads to another close-up, they move.
    for (const [kind] of made) {
      const { cm } = await chestOf(kind)
      expect([kind, cm > plain.lower && cm < plain.upper]).toEqual([kind, true])
    }
    expect(await chestOf('plain')).toEqual(plain)
  })

  test('says what to do about photos of nobody, of half a person and of a tiny one', async () => {
    const half = await sharp(await drawPerson(0))
      .extract({ left: 0, top: 0, width: 800, height: 700 })
      .jpeg()
      .toBuffer()
    const plain = await sharp({ create: { width: 400, height: 600, channels: 3, background: '#8090a0' } })
      .png()
      .toBuffer()
    const tiny = await sharp(person).resize(32).jpeg().toBuffer()
    await openOn({ half, plain, tiny })
    const reasonsOf = async (path: string) => {
      const answer = await world.estimate({ image_url: world.urlOf(path) })
      const { reasons } = z.object({ reasons: z.array(z.object({ code: z.string() })) }).parse(await json(answer))
      return [answer.status, ...reasons.map(({ code }) => code)]
    }
    expect(await reasonsOf('half')).toEqual(expect.arrayContaining([422, 'feet_out_of_frame']))
    expect(await reasonsOf('plain')).toEqual([422, 'no_person'])
    expect((await reasonsOf('tiny'))[0]).toBe(422)
  })

  test('says 503 for the request whose engine was killed, and answers the next', async () => {
    await openOn({ 'person.jpg': person })
    const engines = engineProcesses()
    for (const pid of engines) process.kill(pid, 'SIGSTOP')
    const lost = world.estimate()
    await eventually(async () => expect(await world.metrics()).toContain('body_stage_seconds_count{stage="decode"} 1'))
    for (const pid of engines) process.kill(pid, 'SIGKILL')
    const answer = await lost
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await json(answer)).toMatchObject({ code: 'engine_crashed' })
    expect((await world.estimate()).status).toBe(200)
  })

  test('answers each of many requests at once, or says 503 at once; none is lost', async () => {
    await openOn({ 'person.jpg': person })
    const answers = await Promise.all(Array.from({ length: 40 }, () => world.estimate()))
    const statuses = answers.map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([200, 503]))
    for (const { status, headers } of answers) expect(headers.has('retry-after')).toBe(status === 503)
    expect((await world.estimate()).status).toBe(200)
  })

  test.skipIf(rows.length === 0)('gives each file of the manifest its status, and a reason that it names', async () => {
    const wanted = [...odd, ...photos]
    await openOn(Object.fromEntries(wanted.map(({ file }) => [file, readFileSync(join(shared, file))])))
    const tell = async ({ file, status, reasons = [] }: z.infer<typeof Row>) => {
      const answer = await world.estimate({ image_url: world.urlOf(file) })
      const told = z.object({ reasons: z.array(z.object({ code: z.string() })).optional() }).parse(await json(answer))
      const main = told.reasons?.[0]?.code
      expect([file, answer.status, main]).toEqual([file, status, reasons.includes(main ?? '') ? main : reasons[0]])
    }
    for (let from = 0; from < wanted.length; from += AT_ONCE)
      await Promise.all(wanted.slice(from, from + AT_ONCE).map(tell))
  })
})
