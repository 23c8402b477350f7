import type { Fact } from '../../events/fact.ts'
import { seconds, short, styled, styledState } from '../text.ts'
import { inWords } from '../timeline.ts'
import type { Scene } from './plot.ts'
import type { Watch, Watched } from './watch.ts'

const REDRAW_MS = 100
const STATE_WIDTH = 'processing'.length
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/** Shows how sessions move, while they do. */
export interface Board {
  /** Called for each fact as it becomes known. */
  fact(fact: Fact): void
  /** Draws for the last time. */
  end(): void
}

/** Shows nothing. */
export const noBoard: Board = { fact: () => {}, end: () => {} }

/** The one for who watches: a terminal, or a log. */
export const boardFor = (scenes: readonly Scene[], watch: () => Watch): Board =>
  process.stdout.isTTY ? liveBoard(scenes, watch) : plainBoard(scenes, Date.now())

/** One line per fact, for logs and pipes. */
const plainBoard = (scenes: readonly Scene[], startedAt: number): Board => ({
  fact: (fact) => {
    const scene = scenes.find(({ sessionId }) => sessionId === fact.sessionId)
    const since = `+${seconds(Date.parse(fact.at) - startedAt)}`.padStart(9)
    const what = `${fact.type.padEnd(21)} ${inWords(fact)}`.trimEnd()
    console.log(`${since}  ${short(fact.sessionId)}  ${what.padEnd(60)}  ${scene?.title ?? ''}`.trimEnd())
  },
  end: () => {},
})

/** A table that is drawn anew in its place, for terminals. */
const liveBoard = (scenes: readonly Scene[], watch: () => Watch): Board => {
  let lines = 0
  let frame = 0
  const draw = () => {
    frame += 1
    const up = lines === 0 ? '' : `\u001B[${lines}A`
    const text = scenes.map((scene) => `\u001B[2K${row(scene, watch().of(scene.sessionId), frame)}\n`).join('')
    lines = scenes.length
    process.stdout.write(up + text)
  }
  const timer = setInterval(draw, REDRAW_MS)
  draw()
  return {
    fact: () => {},
    end: () => {
      clearInterval(timer)
      draw()
    },
  }
}

const row = ({ title, sessionId }: Scene, watched: Watched, frame: number): string => {
  const { state, tries, startedAt, endedAt, closed } = watched
  const symbol = closed ? styled('green', '✔') : styled('yellow', FRAMES[frame % FRAMES.length] ?? '')
  const shown = state === 'not yet seen' ? styled('gray', '-'.padEnd(STATE_WIDTH)) : styledState(state, STATE_WIDTH)
  const time = startedAt === null ? '' : seconds((endedAt ?? Date.now()) - startedAt)
  const count = tries > 1 ? `${tries} tries` : tries === 1 ? '1 try' : ''
  return ` ${symbol} ${styled('gray', short(sessionId))}  ${title.padEnd(46)} ${shown}  ${count.padEnd(8)} ${time.padStart(8)}`
}
