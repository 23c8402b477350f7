import type { Page } from './page.ts'

const BASE = '/console'

interface Found {
  readonly page: Page
  readonly params: Readonly<Record<string, string>>
}

/** The address of a page of ours: `linkTo('/sessions')` is /console/sessions. */
export const linkTo = (path: string): string => (path === '/' ? BASE : `${BASE}${path}`)

/** The page at an address, and what stands in the place of its `:names`; null where there is none. */
export const find = (pages: readonly Page[], pathname: string): Found | null => {
  const path = pathname.slice(BASE.length).replace(/\/+$/, '') || '/'
  for (const page of pages) {
    const params = match(page.path.split('/'), path.split('/'))
    if (params !== null) return { page, params }
  }
  return null
}

const match = (template: readonly string[], path: readonly string[]): Record<string, string> | null => {
  if (template.length !== path.length) return null
  const params: Record<string, string> = {}
  for (const [index, part] of template.entries()) {
    const given = path[index] ?? ''
    if (part.startsWith(':')) params[part.slice(1)] = decode(given)
    else if (part !== given) return null
  }
  return params
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    // Somebody typed a lone %: it names nothing, and the page says so.
    return text
  }
}

/** Calls `open` for clicks on links to pages of ours, instead of loading the document anew. */
export const catchLinks = (open: (url: URL) => void): void => {
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (!(link instanceof HTMLAnchorElement) || link.target !== '' || link.hasAttribute('download')) return
    const url = new URL(link.href)
    const isOurs = url.origin === location.origin && (url.pathname === BASE || url.pathname.startsWith(`${BASE}/`))
    if (!isOurs || url.hash !== '') return
    event.preventDefault()
    open(url)
  })
}
