import { h } from './lib/dom.ts'
import type { Page } from './lib/page.ts'

export const page: Page = {
  path: '/sessions/:id',
  title: 'One session',
  nav: null,
  scope: 'read',
  show: (main, { params }) => {
    main.append(h('h1', {}, params['id']))
  },
}
