import { type Child, h } from './dom.ts'

/** The top of a page: its title, and what stands beside it. */
export const pageHead = (title: string, ...beside: readonly Child[]): HTMLElement =>
  h('div', { class: 'head' }, h('h1', {}, title), ...beside)
