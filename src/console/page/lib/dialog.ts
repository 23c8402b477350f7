import { h } from './dom.ts'
import { problemBox } from './problem.ts'

export interface Field {
  readonly name: string
  readonly label: string
  readonly value?: string
  readonly required?: boolean
  readonly maxLength?: number
  /** Given these values with their names, one of them is chosen; else it is a line of text. */
  readonly options?: readonly (readonly [value: string, name: string])[]
}

interface Asked {
  readonly title: string
  readonly text: string
  readonly fields?: readonly Field[]
  /** What the button that does it says. */
  readonly action: string
  readonly danger?: boolean
  /** Does it; the dialog stays open and shows the problem when it rejects. */
  readonly work: (values: Readonly<Record<string, string>>) => Promise<void>
}

/** Asks before something is done, and does it. Resolves to whether it was done. */
export const ask = ({ title, text, fields = [], action, danger = false, work }: Asked): Promise<boolean> => {
  const faults = h('div', {})
  const button = h('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, action)
  const cancel = h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel')
  const form = h(
    'form',
    { onsubmit: (event) => void submit(event) },
    h('h2', { id: 'dialog-title' }, title),
    h('p', {}, text),
    fields.map(fieldOf),
    faults,
    h('div', { class: 'buttons' }, cancel, button),
  )
  const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, form)
  let done = false
  const submit = async (event: Event) => {
    event.preventDefault()
    button.disabled = true
    try {
      const given = [...new FormData(form)].map(([name, value]) => [name, typeof value === 'string' ? value : ''])
      await work(Object.fromEntries(given) as Record<string, string>)
      done = true
      dialog.close()
    } catch (error) {
      faults.replaceChildren(problemBox(error))
    }
    button.disabled = false
  }
  document.body.append(dialog)
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(done)
    })
  })
}

const fieldOf = ({ name, label, value = '', required = false, maxLength = 500, options }: Field): HTMLElement =>
  h(
    'label',
    { class: 'field' },
    label,
    options === undefined
      ? h('input', { name, value, required, maxlength: maxLength, autocomplete: 'off' })
      : h(
          'select',
          { name, required },
          options.map(([one, text]) => h('option', { value: one, selected: one === value }, text)),
        ),
  )
