import { h, replace } from './lib/dom.ts'
import { valuesOf } from './lib/filters.ts'

/** What is asked about one body: its photo, by address or as a file, and what a person says. */
export interface AskedBody {
  readonly photo: string | File
  readonly stated: Readonly<Record<string, string | number>>
  /** Also the photo with what was seen drawn over it. */
  readonly overlay: boolean
}

/** Bytes that the API takes. */
const PHOTO_MAX = 10 * 1024 * 1024
const NUMBERS: ReadonlySet<string> = new Set(['height_cm', 'weight_kg', 'age'])

/** Asks for a photo and a height, and for what else is known. */
export const bodyForm = (answer: (asked: AskedBody) => Promise<void>): HTMLElement => {
  const faults = h('div', {})
  const button = h('button', { type: 'submit', class: 'primary' }, 'Estimate')
  const submit = async (event: Event) => {
    event.preventDefault()
    replace(faults)
    const asked = askedOf(form)
    if (typeof asked === 'string') return replace(faults, h('p', { class: 'problem', role: 'alert' }, asked))
    button.disabled = true
    await answer(asked)
    button.disabled = false
  }
  const form = h('form', { onsubmit: (event) => void submit(event) }, photoFields(), bodyFields(), faults, button)
  return form
}

const photoFields = (): HTMLElement =>
  h(
    'fieldset',
    {},
    h('legend', {}, 'The photo'),
    labelled('A file', h('input', { type: 'file', name: 'file', accept: 'image/*' })),
    labelled(
      'or its address',
      h('input', { type: 'url', name: 'image_url', placeholder: 'https://…', autocomplete: 'off' }),
    ),
  )

const bodyFields = (): HTMLElement =>
  h(
    'fieldset',
    { class: 'pairs' },
    h('legend', {}, 'The person: the height is needed, the rest helps'),
    labelled('Height, cm', numeric('height_cm', 100, 250, true)),
    labelled('Weight, kg', numeric('weight_kg', 25, 300)),
    labelled('Age, years', numeric('age', 16, 110)),
    labelled('Sex', chosen('sex', ['male', 'female'])),
    labelled('Size chart', chosen('chart', ['eu_men', 'eu_women', 'unisex', 'wearon_v1'])),
    labelled('Fit', chosen('fit', ['slim', 'regular', 'relaxed'])),
    h(
      'label',
      { class: 'check' },
      h('input', { type: 'checkbox', name: 'overlay' }),
      'Draw what was seen (where the server has POSE_OVERLAY=1)',
    ),
  )

const labelled = (text: string, field: HTMLElement): HTMLElement => h('label', { class: 'field' }, text, field)

const numeric = (name: string, min: number, max: number, required = false): HTMLElement =>
  h('input', { type: 'number', name, min, max, step: name === 'weight_kg' ? 0.1 : 1, required, inputmode: 'decimal' })

const chosen = (name: string, options: readonly string[]): HTMLElement =>
  h(
    'select',
    { name },
    h('option', { value: '' }, 'not said'),
    options.map((one) => h('option', { value: one }, one.replaceAll('_', ' '))),
  )

/** What the form asks, or what is wrong with it. */
const askedOf = (form: HTMLFormElement): AskedBody | string => {
  const { file: _, overlay, image_url: url, ...values } = valuesOf(form)
  const file = new FormData(form).get('file')
  const photo = file instanceof File && file.size > 0 ? file : url
  if (photo === undefined) return 'Choose a file, or give the address of a photo.'
  if (photo instanceof File && photo.size > PHOTO_MAX) return 'The file is larger than 10 MB.'
  const stated = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, NUMBERS.has(name) ? Number(value) : value]),
  )
  return { photo, stated, overlay: overlay !== undefined }
}
