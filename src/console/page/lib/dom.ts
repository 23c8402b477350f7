export type Child = Node | string | number | null | undefined | false | readonly Child[]

/** What an element is given: attributes by name, listeners as `onclick`; true: present without a value; false, null: absent. */
export type Props = Readonly<Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>>

/** Makes an HTML element. Text stays text: nothing here, and nothing else in the console, reads markup. */
export const h = <Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] => fill(document.createElement(tag), props, children)

const SVG = 'http://www.w3.org/2000/svg'

/** Makes an SVG element. */
export const s = <Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  props: Props = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] => fill(document.createElementNS(SVG, tag), props, children)

/** Puts new children in the place of those that an element has. */
export const replace = (element: Element, ...children: readonly Child[]): void =>
  element.replaceChildren(...nodesOf(children))

const fill = <Kind extends Element>(element: Kind, props: Props, children: readonly Child[]): Kind => {
  for (const [name, value] of Object.entries(props)) set(element, name, value)
  element.append(...nodesOf(children))
  return element
}

const set = (element: Element, name: string, value: Props[string]): void => {
  if (value === false || value === null || value === undefined) return
  if (typeof value === 'function') element.addEventListener(name.slice(2), value)
  else element.setAttribute(name, value === true ? '' : String(value))
}

const nodesOf = (children: readonly Child[]): (Node | string)[] =>
  children.flatMap((child) => {
    if (child === null || child === undefined || child === false) return []
    if (Array.isArray(child)) return nodesOf(child as readonly Child[])
    return [typeof child === 'number' ? String(child) : (child as Node | string)]
  })
