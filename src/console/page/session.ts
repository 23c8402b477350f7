import { drawChart } from './chart.ts'
import type { Machine } from './chart-layout.ts'
import { announce } from './lib/announce.ts'
import { h, replace } from './lib/dom.ts'
import { follow, sayState } from './lib/live.ts'
import type { Page, PageContext } from './lib/page.ts'
import { linkTo } from './lib/router.ts'
import { jsonBlock, terms } from './lib/terms.ts'
import { ago, duration, moment } from './lib/time.ts'
import { dollars, type Session, stateSign } from './sessions-known.ts'

/** One step of a session's life, as /v1/generations/:id/timeline has it. */
interface Step {
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

interface Timeline {
  readonly items: readonly Step[]
}

type OneSession = Session & { readonly image_state: 'available' | 'expired' | null }

export const page: Page = {
  path: '/sessions/:id',
  title: 'Session',
  nav: null,
  scope: 'read',
  show: async (main, context) => {
    const { api, params, signal } = context
    const path = `/v1/generations/${encodeURIComponent(params['id'] ?? '')}`
    const readAll = () => Promise.all([api.get<OneSession>(path), api.get<Timeline>(`${path}/timeline`)])
    const [machine, [session, { items }]] = await Promise.all([api.get<Machine>('/v1/machine'), readAll()])
    const known = h('section', { class: 'card', 'aria-label': 'What is known' })
    const live = h('span', { class: 'live end' })
    const player = new Player(machine)
    const show = (now: OneSession, steps: readonly Step[]) => {
      replace(known, h('h2', {}, 'Now'), knownOf(now, context), resultOf(now))
      player.show(steps)
    }
    show(session, items)
    main.append(
      h('div', { class: 'head' }, h('h1', {}, 'Session'), h('code', { class: 'id' }, params['id']), live),
      player.element,
      h('div', { class: 'columns' }, player.step, known),
    )
    if (session.state !== 'queued' && session.state !== 'processing' && session.state !== 'failed') {
      live.textContent = 'ended'
      return
    }
    follow(`${path}/events?after=${items.length}`, {
      signal,
      onState: (state) => sayState(live, state),
      onEvent: () =>
        void readAll().then(
          ([now, timeline]) => show(now, timeline.items),
          () => undefined,
        ),
    })
  },
}

/** The chart, a slider through the facts below it, and what the fact says that it stands at. */
class Player {
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
    this.#chart = drawChart(machine, { label: 'The session machine, with the state after the chosen fact lit' })
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

const knownOf = (session: OneSession, { may }: PageContext): HTMLElement => {
  const hasRefund = session.state === 'failed' || session.state === 'refunded'
  return terms([
    ['State', stateSign(session.state)],
    ['Channel', session.channel],
    ['Owner', h('code', {}, session.tenant)],
    ['Request', h('code', {}, session.request_id)],
    ['Requested', ago(session.created_at)],
    ['Tries', session.attempts],
    ['Took', session.processing_time_ms === null ? null : duration(session.processing_time_ms)],
    ['Cost', dollars(session.cost_usd)],
    ...(session.failure_code === null ? [] : [['Failed as', session.failure_code] as const]),
    ...(session.error_message === null ? [] : [['The person reads', session.error_message] as const]),
    ...(hasRefund && may('finance')
      ? [['Refund', h('a', { href: linkTo(`/refunds/${session.session_id}`) }, 'What became of it')] as const]
      : []),
  ])
}

/** The image itself where it is ours to show; where another service has it, a link that says nothing about us to it. */
const resultOf = ({ image_url: url, image_state: state }: OneSession): HTMLElement | null => {
  if (state === 'expired') return h('p', { class: 'faint' }, 'The image is deleted, as all are after some hours.')
  if (url === null || !URL.canParse(url)) return null
  const image = new URL(url)
  const link = { href: url, target: '_blank', rel: 'noopener noreferrer' }
  if (!isOurs(image)) return h('p', {}, h('a', link, 'Open the image'))
  const src = image.pathname + image.search
  return h('a', { ...link, class: 'result' }, h('img', { src, alt: 'The result', loading: 'lazy' }))
}

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether this server has it; a machine has several names for itself. */
const isOurs = ({ origin, hostname, port }: URL): boolean =>
  origin === location.origin || (port === location.port && LOOPBACK.has(hostname) && LOOPBACK.has(location.hostname))
