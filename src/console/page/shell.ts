import { announce, announcements } from './lib/announce.ts'
import { Api, ApiError } from './lib/api.ts'
import { h, replace } from './lib/dom.ts'
import type { Me, Page, PageContext, Scope } from './lib/page.ts'
import { problemBox } from './lib/problem.ts'
import { catchLinks, find, linkTo } from './lib/router.ts'
import { themeSwitch } from './lib/theme.ts'
import { pages } from './pages.ts'
import { signIn, signOut } from './sign-in.ts'

const TITLE = 'WearOn console'

/** Builds what stays on every page, finds out who is signed in, and shows the page of the address. */
export const startConsole = (body: HTMLElement): void => {
  const shell = new Shell(body)
  catchLinks((url) => shell.go(url.pathname + url.search))
  addEventListener('popstate', () => void shell.show())
  void shell.show()
}

class Shell {
  readonly #nav = h('nav', { 'aria-label': 'Pages' })
  readonly #who = h('div', { class: 'who' })
  readonly #main = h('main', { id: 'main', tabindex: -1 })
  #left = new AbortController()
  #me: Me | null = null
  #isFirst = true

  constructor(body: HTMLElement) {
    const skip = h('a', { class: 'skip', href: '#main', onclick: (event) => this.#skip(event) }, 'Skip to content')
    const brand = h(
      'a',
      { class: 'brand', href: linkTo('/') },
      h('img', { src: '/console/files/icon.svg', alt: '' }),
      'WearOn',
    )
    body.append(skip, h('header', {}, brand, this.#nav, this.#who, themeSwitch()), this.#main, announcements)
  }

  go(path: string): void {
    history.pushState(null, '', path)
    void this.show()
  }

  /** Shows the page of the present address. */
  async show(): Promise<void> {
    this.#left.abort()
    const left = new AbortController()
    this.#left = left
    try {
      await this.#open(left.signal)
    } catch (error) {
      if (!left.signal.aborted) this.#showProblem(error)
    }
  }

  async #open(signal: AbortSignal): Promise<void> {
    const api = new Api(signal, () => (this.#me = null))
    this.#me ??= await this.#askWho(api)
    if (signal.aborted) return
    if (this.#me === null) return this.#askKey()
    const may = mayOf(this.#me)
    const found = find(pages, location.pathname) ?? (location.pathname === linkTo('/') ? first(may) : null)
    this.#drawAround(found?.page ?? null, may)
    if (found === null) return this.#showProblem(new Error('There is no such page.'))
    this.#begin(found.page)
    const context: PageContext = {
      api,
      params: found.params,
      query: new URLSearchParams(location.search),
      signal,
      me: this.#me,
      may,
      go: (path) => this.go(linkTo(path)),
      note: (path) => history.replaceState(null, '', linkTo(path)),
    }
    const main = h('div', { class: 'page' })
    await found.page.show(main, context)
    if (!signal.aborted) replace(this.#main, main)
  }

  /** Null when nobody is signed in. */
  async #askWho(api: Api): Promise<Me | null> {
    try {
      return await api.get<Me>('/v1/console/session')
    } catch (error) {
      if (error instanceof ApiError && error.problem.status === 401) return null
      throw error
    }
  }

  #askKey(): void {
    this.#drawAround(null, () => false)
    document.title = `Sign in · ${TITLE}`
    replace(
      this.#main,
      signIn(() => void this.show()),
    )
  }

  #drawAround(shown: Page | null, may: (scope: Scope) => boolean): void {
    const links = pages
      .filter(({ nav, scope }) => nav !== null && may(scope))
      .map(({ path, nav }) =>
        h('a', { href: linkTo(path), 'aria-current': isWithin(shown, path) ? 'page' : null }, nav),
      )
    replace(this.#nav, links)
    replace(this.#who, this.#me !== null && whoOf(this.#me, () => void this.#leave()))
  }

  /** A new page begins at its top, for eyes, keyboard and screen reader alike. */
  #begin({ title }: Page): void {
    document.title = `${title} · ${TITLE}`
    replace(this.#main, h('p', { class: 'empty' }, 'Loading …'))
    // Whoever just came begins at the top of the document, where the skip link is.
    if (!this.#isFirst) this.#main.focus({ preventScroll: true })
    this.#isFirst = false
    scrollTo(0, 0)
    announce(title)
  }

  #showProblem(error: unknown): void {
    if (this.#me === null && error instanceof ApiError && error.problem.status === 401) this.#askKey()
    else replace(this.#main, problemBox(error))
  }

  #skip(event: Event): void {
    event.preventDefault()
    this.#main.focus()
  }

  async #leave(): Promise<void> {
    await signOut(new Api(new AbortController().signal, () => {}))
    this.#me = null
    await this.show()
  }
}

const mayOf =
  ({ scopes }: Me) =>
  (scope: Scope): boolean =>
    scopes === null || scopes.includes(scope)

const first = (may: (scope: Scope) => boolean) => {
  const page = pages.find(({ nav, scope }) => nav !== null && may(scope))
  return page === undefined ? null : { page, params: {} }
}

/** /sessions/:id belongs to /sessions. */
const isWithin = (shown: Page | null, path: string): boolean =>
  shown !== null && (shown.path === path || shown.path.startsWith(`${path}/`))

const whoOf = ({ name, key_id: key, tenant }: Me, leave: () => void): HTMLElement[] => [
  h('span', { class: 'name', title: tenant ?? 'the whole service' }, key === null ? 'this machine, no key' : name),
  ...(key === null ? [] : [h('button', { type: 'button', class: 'quiet', onclick: leave }, 'Sign out')]),
]
