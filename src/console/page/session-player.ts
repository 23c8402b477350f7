import { drawChart } from './chart.ts'
import type { Machine } from './chart-layout.ts'
import { announce } from './lib/announce.ts'
import { h, replace } from './lib/dom.ts'
import { jsonBlock, terms } from './lib/terms.ts'
import { duration, moment } from './lib/time.ts'

/** One step of a session's life, as /v1/generations/:id/timeline has it. */
export interface Step {
  readonly fact: {
    readonly seq: number
    readonly type: string
    readonly version: number
    readonly at: string
    readonly data: object
  }
  /** Where the session stood after it. */
  readonly state: string
  readonly context: object
  readonly accepted: boolean
}

/** The chart, a slider through the facts below it, and what the fact says that it stands at. */
export class Player {
  readonly element: HTMLElement
  readonly step = h('section', { class: 'card', 'aria-label': 'The fact' })
  readonly #chart: ReturnType<typeof drawChart>
  readonly #slider = h('input', {
    type: 'range',
    id: 'slider',
    min: 1,
    max: 1,
    step: 1,
    'aria-label': 'Fact',
    oninput: () => this.#moveTo(Number(this.#slider.value)),
  })
  readonly #place = h('output', { for: 'slider', class: 'place' })
  readonly #facts = h('ol', { class: 'life' })
  #steps: readonly Step[] = []

  constructor(machine: Machine) {
    this.#chart = drawChart(machine, {
      bare: true,
      label: 'The session machine, with the state after the chosen fact lit',
    })
    const move = (by: number) => () => this.#moveTo(Number(this.#slider.value) + by)
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Time travel' },
      this.#chart.element,
      h(
        'div',
        { class: 'travel' },
        h('button', { type: 'button', 'aria-label': 'The fact before', onclick: move(-1) }, '‹'),
        this.#slider,
        h('button', { type: 'button', 'aria-label': 'The fact after', onclick: move(1) }, '›'),
        this.#place,
      ),
      this.#facts,
    )
  }

  /** Shows a life that may have grown: whoever stood at its end stays at its end. */
  show(steps: readonly Step[]): void {
    const at = Number(this.#slider.value)
    const wasAtEnd = at >= this.#steps.length
    this.#steps = steps
    this.#slider.max = String(Math.max(1, steps.length))
    replace(
      this.#facts,
      steps.map((step, index) => this.#line(step, index + 1)),
    )
    this.#moveTo(wasAtEnd ? steps.length : at)
  }

  #line({ fact, state, accepted }: Step, place: number): HTMLElement {
    const since = Date.parse(fact.at) - Date.parse(this.#steps[place - 2]?.fact.at ?? fact.at)
    return h(
      'li',
      {},
      h(
        'button',
        { type: 'button', class: 'fact', 'data-tone': state.split('.')[0], onclick: () => this.#moveTo(place) },
        h('span', { class: 'dot' }),
        h('span', { class: 'type' }, fact.type),
        h('span', { class: 'faint' }, accepted ? `→ ${state}` : 'not taken by the machine of today'),
        h('span', { class: 'faint since' }, place === 1 ? fact.at.slice(11, 19) : `+${duration(since)}`),
      ),
    )
  }

  #moveTo(wanted: number): void {
    const place = Math.min(Math.max(1, wanted), this.#steps.length)
    const step = this.#steps[place - 1]
    if (step === undefined) {
      replace(this.step, h('p', { class: 'empty' }, 'Accepted; no fact of it has been archived yet.'))
      return
    }
    this.#slider.value = String(place)
    const said = `Fact ${place} of ${this.#steps.length}: ${step.fact.type}, then ${step.state}`
    this.#slider.setAttribute('aria-valuetext', said)
    this.#place.textContent = `${place} / ${this.#steps.length}`
    announce(said)
    this.#chart.light(
      step.state,
      this.#steps.slice(0, place - 1).map(({ state }) => state),
      step.fact.type,
    )
    for (const [index, line] of [...this.#facts.children].entries()) {
      line.toggleAttribute('data-future', index >= place)
      line.firstElementChild?.setAttribute('aria-current', index === place - 1 ? 'step' : 'false')
    }
    replace(this.step, stepOf(step))
  }
}

const stepOf = ({ fact, state, context }: Step): HTMLElement =>
  h(
    'div',
    {},
    h('h2', {}, `${fact.seq} · ${fact.type}`),
    terms([
      ['At', moment(fact.at)],
      ['State after it', h('strong', { id: 'state-after' }, state)],
      ['Version', fact.version],
    ]),
    h('h3', {}, 'What it says'),
    jsonBlock(fact.data, 'What the fact says'),
    h(
      'details',
      {},
      h('summary', {}, 'What the machine remembers then'),
      jsonBlock(context, 'What the machine remembers'),
    ),
  )
