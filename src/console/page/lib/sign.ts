import { h } from './dom.ts'

type Tone = 'queued' | 'processing' | 'completed' | 'failed' | 'refunded' | 'good' | 'warn' | 'bad'

/** A state in words, with a dot in the colour of what it means. */
export const sign = (text: string, tone: Tone): HTMLElement =>
  h('span', { class: 'sign', 'data-tone': tone }, text.replaceAll('_', ' '))
