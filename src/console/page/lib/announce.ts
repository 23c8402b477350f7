import { h } from './dom.ts'

/** Screen readers hear at most one line in this time: counts may move many times a second. Ms. */
const PAUSE_MS = 5_000

const region = h('p', { class: 'unseen', role: 'status', 'aria-live': 'polite' })
let waiting: string | null = null
let quietUntilMs = 0

/** Where announcements stand in the document. */
export const announcements: HTMLElement = region

/** Says something to screen readers; when much happens, only the newest of what was to be said. */
export const announce = (text: string): void => {
  const first = waiting === null
  waiting = text
  if (first) setTimeout(speak, Math.max(0, quietUntilMs - Date.now()))
}

const speak = (): void => {
  region.textContent = waiting
  waiting = null
  quietUntilMs = Date.now() + PAUSE_MS
}
