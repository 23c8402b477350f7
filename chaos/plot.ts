import type { Committed, Ownership } from './ownership.ts'

/** What a plot shows. Times in ms since the Unix epoch; a life is `w<slot>.<start>`, and `names` are those of the slots. */
export interface Timeline {
  readonly startedAt: number
  readonly endedAt: number
  readonly events: readonly { readonly at: number; readonly label: string }[]
  readonly committed: readonly Committed[]
  readonly held: Ownership['history']
  readonly names: readonly string[]
}

const WIDTH = 860
const LEFT = 56
const RIGHT = 16
/** Where the two panels lie, y of their top and bottom. */
const RATE = { top: 64, bottom: 234 }
const HELD = { top: 286, bottom: 416 }
const HEIGHT = 456
const BIN_MS = 1_000

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; } .small { font-size: 11px; }
  .axis { stroke: #8c959f; stroke-width: 1; } .grid { stroke: #d0d7de; stroke-width: .5; }
  .event { stroke: #57606a; stroke-dasharray: 3 3; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .all { stroke: #24292f; fill: none; stroke-width: 2; }
  .s0 { stroke: #0969da; } .s1 { stroke: #bc4c00; } .s2 { stroke: #1a7f37; }
  text.s0 { fill: #0969da; stroke: none; } text.s1 { fill: #bc4c00; stroke: none; } text.s2 { fill: #1a7f37; stroke: none; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .grid { stroke: #30363d; } .event { stroke: #8b949e; } .all { stroke: #e6edf3; }
    .s0 { stroke: #58a6ff; } .s1 { stroke: #f0883e; } .s2 { stroke: #56d364; }
    text.s0 { fill: #58a6ff; } text.s1 { fill: #f0883e; } text.s2 { fill: #56d364; }
  }`

/** Completions per second and partitions per process over time, with the events: an SVG for light and dark pages. */
export const drawPlot = (timeline: Timeline): string => {
  const rates = ratesOf(timeline)
  const rateMax = niceAbove(Math.max(...rates))
  const heldMax = niceAbove(Math.max(...timeline.held.map(({ partitions }) => partitions)))
  const at = xOf(timeline)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Completed sessions per second and partitions per process through the events">`,
    `<style>${STYLE}</style>`,
    text(LEFT, RATE.top - 10, 'completed sessions per second', 'title'),
    text(LEFT, HELD.top - 10, 'partitions held by each process', 'title'),
    ...panel(RATE, rateMax),
    ...panel(HELD, heldMax),
    ...timeline.events.flatMap((event, index) => eventMark(at(event.at), event.label, index)),
    ...seconds(timeline, at),
    line(
      rates.map((rate, second) => [at(timeline.startedAt + (second + 0.5) * BIN_MS), yOf(RATE, rate, rateMax)]),
      'all',
    ),
    ...timeline.names.flatMap((name, slot) => heldLine(timeline, { name, slot, max: heldMax, at })),
    '</svg>\n',
  ].join('\n')
}

const ratesOf = ({ startedAt, endedAt, committed }: Timeline): number[] => {
  const bins = Array.from({ length: Math.max(1, Math.ceil((endedAt - startedAt) / BIN_MS)) }, () => 0)
  for (const { at, completed } of committed) {
    const bin = Math.floor((at - startedAt) / BIN_MS)
    const known = bins[bin]
    if (known !== undefined) bins[bin] = known + completed
  }
  return bins
}

const xOf =
  ({ startedAt, endedAt }: Timeline) =>
  (at: number): number =>
    LEFT + ((Math.min(Math.max(at, startedAt), endedAt) - startedAt) / (endedAt - startedAt)) * (WIDTH - LEFT - RIGHT)

const yOf = ({ top, bottom }: { top: number; bottom: number }, value: number, max: number): number =>
  bottom - (value / max) * (bottom - top)

const panel = (place: { top: number; bottom: number }, max: number): string[] =>
  [0, 0.5, 1].flatMap((share) => {
    const y = yOf(place, share * max, max)
    return [
      `<path class="${share === 0 ? 'axis' : 'grid'}" d="M${LEFT} ${y}H${WIDTH - RIGHT}"/>`,
      `<text class="small" x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${share * max}</text>`,
    ]
  })

/** Labels stand on two lines in turn, so that neighbours do not cover each other. */
const eventMark = (x: number, label: string, index: number): string[] => [
  `<path class="event" d="M${x.toFixed(1)} ${20 + (index % 2) * 14}V${HELD.bottom}"/>`,
  text(Number(x.toFixed(1)) + 4, 24 + (index % 2) * 14, label, 'small'),
]

const seconds = ({ startedAt, endedAt }: Timeline, at: (ms: number) => number): string[] => {
  const labels: string[] = []
  for (let second = 0; startedAt + second * 1_000 <= endedAt; second += 5)
    labels.push(
      `<text class="small" x="${at(startedAt + second * 1_000).toFixed(1)}" y="${HELD.bottom + 18}" text-anchor="middle">${second} s</text>`,
    )
  return labels
}

const heldLine = (
  { held, startedAt, endedAt }: Timeline,
  { name, slot, max, at }: { name: string; slot: number; max: number; at: (ms: number) => number },
): string[] => {
  const mine = held.filter(({ life }) => life.startsWith(`w${slot}.`))
  const points: [number, number][] = []
  let last = mine.findLast((one) => one.at <= startedAt)?.partitions ?? 0
  points.push([at(startedAt), yOf(HELD, last, max)])
  for (const one of mine.filter(({ at: moment }) => moment > startedAt)) {
    points.push([at(one.at), yOf(HELD, last, max)], [at(one.at), yOf(HELD, one.partitions, max)])
    last = one.partitions
    if (one.at >= endedAt) break
  }
  points.push([at(endedAt), yOf(HELD, last, max)])
  return [line(points, `line s${slot}`), text(WIDTH - RIGHT - 180 + slot * 62, HELD.top - 10, name, `s${slot}`)]
}

const line = (points: readonly (readonly [number, number])[], kind: string): string =>
  `<polyline class="${kind}" points="${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}"/>`

const text = (x: number, y: number, words: string, kind: string): string =>
  `<text class="${kind}" x="${x}" y="${y}">${words}</text>`

/** The next number above that halves well. */
const niceAbove = (value: number): number => {
  const step = 10 ** Math.floor(Math.log10(Math.max(value, 1)))
  const found = [1, 2, 4, 6, 8, 10].find((times) => times * step >= value) ?? 10
  return Math.max(2, found * step)
}
