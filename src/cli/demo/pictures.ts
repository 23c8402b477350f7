import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { drawGarment, drawPerson } from '../../pictures/draw.ts'
import { sniff } from '../../pictures/sniff.ts'
import { CommandFailed } from '../client.ts'

/** Sample photos that may lie beside the checkout; where they do not, pictures are drawn. */
const SAMPLES = join(import.meta.dirname, '../../../../shared/data/tryon')
const SAMPLE_PERSONS = ['model.webp', 'person.jpg']
const SAMPLE_ACCESSORIES = ['hat.jpg', 'watch.jpg']
const DRAWN = 4

/** What the demo dresses people with: at least one person and one garment. */
export interface Pictures {
  readonly persons: readonly Uint8Array[]
  readonly garments: readonly Uint8Array[]
  readonly accessories: readonly Uint8Array[]
  /** Where they come from, for people. */
  readonly origin: string
}

/** The user's own pictures where given, else samples, else drawn ones. @throws CommandFailed when a file is no picture. */
export const loadPictures = async (own: { person?: string; garment?: string }): Promise<Pictures> => {
  const samples = SAMPLE_PERSONS.every((name) => existsSync(join(SAMPLES, name)))
  const persons = own.person === undefined ? await somePersons(samples) : [await readPicture(own.person)]
  const garments = own.garment === undefined ? await drawn(drawGarment) : [await readPicture(own.garment)]
  const accessories = samples ? await readSamples(SAMPLE_ACCESSORIES) : []
  const person = own.person ?? (samples ? 'sample photos' : 'drawn persons')
  return { persons, garments, accessories, origin: `${person}, ${own.garment ?? 'drawn garments'}` }
}

/** @throws CommandFailed */
export const readPicture = async (file: string): Promise<Uint8Array> => {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailed(`${file} cannot be read (${error.code ?? error.message})`)
  })
  if (sniff(bytes) === null)
    throw new CommandFailed(`${file} is no picture that can be used: give a JPEG, PNG, WebP, AVIF or GIF`)
  return bytes
}

const somePersons = (samples: boolean) => (samples ? readSamples(SAMPLE_PERSONS) : drawn(drawPerson))

const drawn = (draw: (seed: number) => Promise<Uint8Array>) =>
  Promise.all(Array.from({ length: DRAWN }, (_, seed) => draw(seed)))

const readSamples = (names: readonly string[]) =>
  Promise.all(names.filter((name) => existsSync(join(SAMPLES, name))).map((name) => readFile(join(SAMPLES, name))))
