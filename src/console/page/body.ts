import { answerParts, type BodyAnswer, refusalPart } from './body-answer.ts'
import { type AskedBody, bodyForm } from './body-form.ts'
import { type Api, ApiError, type Query, withQuery } from './lib/api.ts'
import { h, replace } from './lib/dom.ts'
import type { Page } from './lib/page.ts'
import { pageHead } from './lib/page-head.ts'
import { problemBox } from './lib/problem.ts'

/** Tries the body estimate on one photo. */
export const page: Page = {
  path: '/body',
  title: 'A size from a photo',
  nav: 'Body photo',
  scope: 'estimate',
  show: (main, { api, signal }) => {
    const said = h('div', { 'aria-live': 'polite' }, h('p', { class: 'empty' }, 'Nothing was asked yet.'))
    const pictures = new Pictures(signal)
    const answer = async (asked: AskedBody) => {
      pictures.letGo()
      replace(said, h('p', { class: 'empty' }, 'Looking at the photo …'))
      replace(said, await estimated(api, asked), asked.overlay && (await overlayOf(api, asked, pictures)))
    }
    main.append(
      pageHead('A size from a photo'),
      h(
        'div',
        { class: 'columns' },
        h(
          'section',
          { class: 'card' },
          h(
            'p',
            { class: 'faint' },
            'To see what callers of the body estimate get. The photo is looked at and let go: nothing of it is kept.',
          ),
          bodyForm(answer),
        ),
        h('section', { class: 'card' }, h('h2', {}, 'Answer'), said),
      ),
    )
  },
}

const estimated = async (api: Api, asked: AskedBody): Promise<HTMLElement[]> => {
  try {
    const { photo, stated } = asked
    const answer =
      typeof photo === 'string'
        ? await api.post<BodyAnswer>('/v1/estimate-body', { ...stated, image_url: photo })
        : await api.upload<BodyAnswer>(withQuery('/v1/estimate-body/photo', inWords(stated)), photo)
    return answerParts(answer)
  } catch (error) {
    return [
      error instanceof ApiError && error.problem.code === 'no_usable_pose'
        ? refusalPart(error.problem)
        : problemBox(error),
    ]
  }
}

const inWords = (stated: AskedBody['stated']): Query =>
  Object.fromEntries(Object.entries(stated).map(([name, value]) => [name, String(value)]))

const overlayOf = async (api: Api, { photo, stated }: AskedBody, pictures: Pictures): Promise<HTMLElement> => {
  try {
    const drawn =
      typeof photo === 'string'
        ? await api.draw('/v1/estimate-body?overlay=1', { ...stated, image_url: photo })
        : await api.draw(withQuery('/v1/estimate-body/photo', { ...inWords(stated), overlay: '1' }), photo)
    return h(
      'figure',
      {},
      h('img', {
        class: 'overlay',
        src: pictures.addressOf(drawn),
        alt: 'The photo, with the skeleton and the widths that were seen drawn over it',
      }),
      h('figcaption', { class: 'faint' }, 'What was seen: orange where the model doubts.'),
    )
  } catch (error) {
    return problemBox(error)
  }
}

/** Pictures that the page holds; they are let go with it. */
class Pictures {
  readonly #addresses: string[] = []

  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => this.letGo(), { once: true })
  }

  addressOf(picture: Blob): string {
    const address = URL.createObjectURL(picture)
    this.#addresses.push(address)
    return address
  }

  letGo(): void {
    for (const address of this.#addresses.splice(0)) URL.revokeObjectURL(address)
  }
}
