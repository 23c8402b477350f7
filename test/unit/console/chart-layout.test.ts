import { expect, test } from 'vitest'
import { layoutOf } from '../../../src/console/page/chart-layout.ts'
import { BOX, type Box } from '../../../src/console/page/chart-paths.ts'
import { chartOf } from '../../../src/machines/chart.ts'
import { sessionMachine } from '../../../src/machines/session.ts'

const machine = chartOf(sessionMachine)
const layout = layoutOf(machine)

const overlap = (one: Box, other: Box): boolean =>
  Math.abs(one.x - other.x) < BOX.width && Math.abs(one.y - other.y) < BOX.height

test('draws every state of the session machine once, none over another and all within the picture', () => {
  expect(layout.boxes.map(({ name }) => name)).toEqual(machine.states.map(({ name }) => name))
  for (const [index, one] of layout.boxes.entries()) {
    expect(layout.boxes.slice(index + 1).filter((other) => overlap(one, other))).toEqual([])
    expect(one.x + BOX.width < layout.width && one.y + BOX.height < layout.height).toBe(true)
  }
})

test('draws an arrow for every move, and names all of its facts', () => {
  for (const { from, to, fact } of machine.moves) {
    const arrow = layout.arrows.find((one) => one.from === from && one.to === to)
    expect([from, to, arrow?.facts.includes(fact)]).toEqual([from, to, true])
  }
})

test('reads from left to right: a session that goes well only goes on', () => {
  const at = (name: string) => layout.boxes.find((box) => box.name === name)?.x ?? Number.NaN
  const ways = [
    ['new', 'queued', 'processing', 'completed'],
    ['processing', 'failed.open', 'failed.owed', 'refunded'],
  ]
  for (const way of ways) expect(way.map(at)).toEqual(way.map(at).toSorted((one, other) => one - other))
})

test('frames the states of a compound state, and no other', () => {
  const [frame] = layout.groups
  expect(layout.groups.map(({ name }) => name)).toEqual(['failed'])
  if (frame === undefined) return
  const isIn = ({ x, y }: Box) => x > frame.x && y > frame.y && x < frame.x + frame.width && y < frame.y + frame.height
  const inside = layout.boxes.filter(isIn).map(({ name }) => name)
  expect(inside).toEqual(machine.states.map(({ name }) => name).filter((name) => name.startsWith('failed.')))
})
