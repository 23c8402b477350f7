import { seconds } from './text.ts'

/** Where a bar is drawn. */
export interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** How far long work is. */
export interface Progress {
  /** `total`: null while nobody knows it. */
  at(done: number, total: number | null): void
  /** Takes the bar away, so that what is printed next begins on a clean line. */
  end(): void
}

const EVERY_MS = 100
const WIDTH = 24
const CLEAR = '\r\u001B[2K'
/** Too little is known before that for a guess of what is left. */
const GUESS_FROM = 0.02

/** A bar with the number of `what` that are done and the time that is left, on one line; nothing where nobody watches. */
export const progressBar = (
  what: string,
  terminal: Terminal = process.stderr,
  now: () => number = () => performance.now(),
): Progress => {
  if (terminal.isTTY !== true) return { at: () => {}, end: () => {} }
  const startedAt = now()
  let drawnAt = Number.NEGATIVE_INFINITY
  return {
    at: (done, total) => {
      const at = now()
      if (at - drawnAt < EVERY_MS) return
      drawnAt = at
      const line = lineOf(what, done, total, at - startedAt)
      terminal.write(CLEAR + line.slice(0, (terminal.columns ?? 80) - 1))
    },
    end: () => terminal.write(CLEAR),
  }
}

const lineOf = (what: string, done: number, total: number | null, ms: number): string => {
  if (total === null || total === 0) return `${count(done)} ${what}`
  const part = Math.min(1, done / total)
  const left = part < GUESS_FROM ? '' : `, ${seconds((ms * (1 - part)) / part)} left`
  const filled = Math.round(part * WIDTH)
  const bar = '#'.repeat(filled) + '.'.repeat(WIDTH - filled)
  return `${bar} ${Math.floor(part * 100)}%  ${count(done)} of ${count(total)} ${what}${left}`
}

const count = (number: number): string => number.toLocaleString('en')
