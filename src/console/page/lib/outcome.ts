import { type Child, h, replace } from './dom.ts'

/** A line that says what came of what was done. Screen readers hear it as it comes. */
export class Outcome {
  readonly element = h('div', { role: 'status', 'aria-live': 'polite' })

  say(...words: readonly Child[]): void {
    replace(this.element, h('p', { class: 'note' }, words))
  }

  clear(): void {
    replace(this.element)
  }
}
