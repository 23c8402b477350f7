import type { Machine } from './chart-layout.ts'
import { h, replace } from './lib/dom.ts'
import { follow, sayState } from './lib/live.ts'
import type { Page, PageContext } from './lib/page.ts'
import { pageHead } from './lib/page-head.ts'
import { linkTo } from './lib/router.ts'
import { terms } from './lib/terms.ts'
import { ago, duration } from './lib/time.ts'
import { Player, type Step } from './session-player.ts'
import { dollars, type Session, stateSign } from './sessions-known.ts'

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
      pageHead('Session', h('code', { class: 'id' }, params['id']), live),
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
