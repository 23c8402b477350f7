import { ApiError } from './api.ts'
import { type Child, h } from './dom.ts'

/** What went wrong, as a box that screen readers announce. */
export const problemBox = (error: unknown): HTMLElement => {
  const { problem } = error instanceof ApiError ? error : { problem: null }
  const faults: Child[] = (problem?.errors ?? []).map(({ detail }) => h('li', {}, detail))
  return h(
    'div',
    { class: 'problem', role: 'alert' },
    h('strong', {}, problem?.code.replaceAll('_', ' ') ?? 'This page failed'),
    h('p', {}, problem?.detail ?? String(error)),
    faults.length > 0 && h('ul', {}, faults),
    problem?.request_id !== undefined && h('p', { class: 'faint' }, 'Request ', h('code', {}, problem.request_id)),
  )
}
