import { h } from './lib/dom.ts'
import type { Page } from './lib/page.ts'

export const page: Page = {
  path: '/sessions',
  title: 'Sessions',
  nav: 'Sessions',
  scope: 'read',
  show: (main) => {
    main.append(h('h1', {}, 'Sessions'))
  },
}
