import type { Field } from './dialog.ts'
import type { Me } from './page.ts'

const KEPT_AS = 'console-by'
const NAME_MAX = 100

/** Who acts is known from the key; without one a person says it, and the browser remembers. */
export const byFields = ({ key_id: key }: Pick<Me, 'key_id'>): readonly Field[] =>
  key !== null
    ? []
    : [
        {
          name: 'by',
          label: 'Your name',
          value: localStorage.getItem(KEPT_AS) ?? '',
          required: true,
          maxLength: NAME_MAX,
        },
      ]

/** What goes into the body of a request. */
export const saidBy = ({ by }: Readonly<Record<string, string>>): { readonly by?: string } => {
  if (by === undefined) return {}
  localStorage.setItem(KEPT_AS, by)
  return { by }
}
