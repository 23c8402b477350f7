import type { Page } from 'playwright-core'

/** WCAG 2.2, 1.4.3: for text, and for text from 24 px, or 18.66 px when bold. */
const CONTRAST = { text: 4.5, large: 3 }

/** What whoever cannot see, points with keys, or sees little contrast would miss on a page: one line each. */
export const unreadable = (page: Page): Promise<string[]> =>
  page.evaluate(`(${IN_BROWSER})(${JSON.stringify(CONTRAST)})`)

/** Runs in the browser, whose types the tests do not know. Contrast: WCAG 2.2, relative luminance. */
const IN_BROWSER = `(limits) => {
  const faults = []
  const say = (what, element) => faults.push(what + ': ' + element.outerHTML.slice(0, 120))
  const all = (selector) => [...document.querySelectorAll(selector)]
  for (const field of all('input, select, textarea'))
    if (!field.labels?.length && !field.ariaLabel) say('no label', field)
  for (const button of all('button, a')) if (!button.textContent.trim() && !button.ariaLabel) say('no name', button)
  for (const image of all('img')) if (!image.hasAttribute('alt')) say('no alternative', image)
  for (const table of all('table')) if (!table.caption?.textContent) say('no caption', table)
  for (const head of all('th')) if (!head.scope) say('no scope', head)
  if (all('h1').length !== 1) faults.push('there is not one main heading')
  if (!document.documentElement.lang) faults.push('no language')

  const numbers = (color) => (/^rgba?\\(/.test(color) ? color.match(/[\\d.]+/g).map(Number) : null)
  const groundOf = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const ground = numbers(getComputedStyle(at).backgroundColor)
      if (ground !== null && ground[3] !== 0) return ground
    }
    return [255, 255, 255]
  }
  const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)
  const luminance = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
  for (const element of all('body *')) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')
    if (!hasText || !element.checkVisibility() || element.closest('.unseen, .skip, :disabled, option, title') !== null) continue
    const style = getComputedStyle(element)
    const color = numbers(style.color)
    if (color === null) continue
    const [dark, light] = [luminance(color), luminance(groundOf(element))].sort((one, other) => one - other)
    const size = parseFloat(style.fontSize)
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
    if ((light + 0.05) / (dark + 0.05) < (isLarge ? limits.large : limits.text)) say('too little contrast', element)
  }
  return faults
}`
