import { h } from './lib/dom.ts'
import type { Page } from './lib/page.ts'

export const page: Page = {
  path: '/health',
  title: 'Health',
  nav: 'Health',
  scope: 'operate',
  show: (main) => {
    main.append(h('h1', {}, 'Health'))
  },
}
