import { h } from './dom.ts'

const UNITS: readonly [limitS: number, unitS: number, name: Intl.RelativeTimeFormatUnit][] = [
  [90, 1, 'second'],
  [5_400, 60, 'minute'],
  [129_600, 3_600, 'hour'],
  [Infinity, 86_400, 'day'],
]
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' })

/** `5 min ago`, with the moment itself where one points at it; a dash for none. */
export const ago = (iso: string | null, nowMs = Date.now()): HTMLElement => {
  if (iso === null) return h('span', { class: 'faint' }, '–')
  const seconds = Math.round((Date.parse(iso) - nowMs) / 1_000)
  const [, unitS, name] = UNITS.find(([limitS]) => Math.abs(seconds) < limitS) ?? [0, 86_400, 'day' as const]
  return h('time', { datetime: iso, title: iso }, relative.format(Math.round(seconds / unitS), name))
}

/** `2026-01-15 10:00:02.123` in UTC. */
export const moment = (iso: string | null): HTMLElement =>
  iso === null
    ? h('span', { class: 'faint' }, '–')
    : h('time', { datetime: iso, title: iso }, iso.replace('T', ' ').replace('Z', ''))

/** `850 ms`, `12.3 s`, `4 min 10 s`, `3 h 5 min`, `12 d 3 h`. */
export const duration = (ms: number): string => {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1_000)} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

const whole = new Intl.NumberFormat('en')

/** `12,345` */
export const number = (value: number): string => whole.format(value)
