import { h } from './dom.ts'

const THEMES = ['auto', 'light', 'dark'] as const
type Theme = (typeof THEMES)[number]
const KEPT_AS = 'console-theme'

/** Chooses between what the system prefers, light and dark; the browser remembers it. */
export const themeSwitch = (): HTMLElement => {
  apply(kept())
  const options = THEMES.map((theme) => h('option', { value: theme, selected: theme === kept() }, theme))
  const select = h('select', { id: 'theme', onchange: () => choose(select.value) }, options)
  return h('label', { class: 'theme' }, h('span', { class: 'unseen' }, 'Colours'), select)
}

const choose = (value: string): void => {
  localStorage.setItem(KEPT_AS, value)
  apply(kept())
}

const kept = (): Theme => THEMES.find((theme) => theme === localStorage.getItem(KEPT_AS)) ?? 'auto'

const apply = (theme: Theme): void => {
  if (theme === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}
