import { h } from './dom.ts'

/** One thing that a list can be narrowed by: a line of text, a day, or one of some options. */
export interface Filter {
  readonly name: string
  readonly label: string
  /** What the address says now. */
  readonly value: string | null
  readonly kind?: 'text' | 'date' | 'wide'
  /** Given these, one of them is chosen; the first stands for no choice. */
  readonly options?: readonly (readonly [value: string, label: string])[]
}

/** Narrows a list. Nothing happens before somebody asks for it, so that whoever uses a keyboard can try all options. */
export const filters = (
  label: string,
  fields: readonly Filter[],
  apply: (values: Readonly<Record<string, string>>) => void,
): HTMLElement => {
  const submit = (event: Event) => {
    event.preventDefault()
    apply(valuesOf(form))
  }
  const form = h(
    'form',
    { class: 'filters', 'aria-label': label, onsubmit: submit },
    fields.map(fieldOf),
    h('button', { type: 'submit' }, 'Apply'),
  )
  return form
}

/** What a form says, without what was left empty. */
export const valuesOf = (form: HTMLFormElement): Record<string, string> =>
  Object.fromEntries(
    [...new FormData(form)]
      .map(([name, value]) => [name, typeof value === 'string' ? value.trim() : value.name] as const)
      .filter(([, value]) => value !== ''),
  )

/** `{ state: 'owed', … }` of the address, for the parameters that a list knows. */
export const chosenOf = <Name extends string>(
  query: URLSearchParams,
  names: readonly Name[],
): Readonly<Record<Name, string | null>> =>
  Object.fromEntries(names.map((name) => [name, query.get(name)])) as Record<Name, string | null>

const fieldOf = ({ name, label, value, kind = 'text', options }: Filter): HTMLElement =>
  h(
    'label',
    { class: kind === 'wide' ? 'wide' : null },
    label,
    options === undefined
      ? h('input', { name, value, type: kind === 'date' ? 'date' : 'text', autocomplete: 'off', spellcheck: 'false' })
      : h(
          'select',
          { name },
          options.map(([one, text]) => h('option', { value: one, selected: one === (value ?? '') }, text)),
        ),
  )
