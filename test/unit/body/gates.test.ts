import { describe, expect, it } from 'vitest'
import { isImplausible, reasonsAgainst } from '../../../src/body/gates.ts'
import type { SeenBody, SeenPerson, Sight } from '../../../src/body/sight.ts'
import { type Drawing, drawn, WIDTH } from './drawn-body.ts'

const against = (drawing: Drawing) => reasonsAgainst(drawn(drawing), 'front')
const unsure = (sight: ReturnType<typeof drawn>, points: readonly number[], score: number): Sight => {
  const keypoints = sight.people[0].keypoints.map((point, i) => (points.includes(i) ? { ...point, score } : point))
  return { ...sight, people: [{ ...sight.people[0], keypoints }] }
}
const hidden = (
  sight: ReturnType<typeof drawn>,
  index: number,
  change: Partial<SeenBody['landmarks'][number]>,
): Sight => {
  const landmarks = sight.body.landmarks.map((point, i) => (i === index ? { ...point, ...change } : point))
  return { ...sight, body: { ...sight.body, landmarks } }
}
/** The same person elsewhere and of another size. */
const moved = (person: SeenPerson, right: number, size: number): SeenPerson => ({
  score: person.score,
  keypoints: person.keypoints.map(({ x, y, score }) => ({ x: x * size + right, y: y * size, score })),
  box: {
    xMin: person.box.xMin * size + right,
    xMax: person.box.xMax * size + right,
    yMin: person.box.yMin * size,
    yMax: person.box.yMax * size,
  },
})

describe('a photo from the front', () => {
  it('will do when somebody stands in it from head to feet', () => {
    expect(against({})).toEqual([])
    expect(against({ yaw: 30, tilt: 12, knees: 25 })).toEqual([])
  })

  it('shows nobody when BlazePose finds none, or MoveNet none where BlazePose does', () => {
    const sight = drawn()
    expect(reasonsAgainst({ ...sight, body: null, people: [] }, 'front')).toEqual(['no_person'])
    expect(reasonsAgainst({ ...sight, people: [] }, 'front')).toEqual(['no_person'])
    expect(reasonsAgainst({ ...sight, people: [{ ...sight.people[0], score: 0.24 }] }, 'front')).toEqual(['no_person'])
    expect(reasonsAgainst({ ...sight, people: [moved(sight.people[0], 200, 1)] }, 'front')).toContain('no_person')
  })

  it('shows several people when another is at least 45 % as large', () => {
    const sight = drawn()
    const [person] = sight.people
    const beside = (size: number) => reasonsAgainst({ ...sight, people: [person, moved(person, 400, size)] }, 'front')
    expect(beside(0.5)).toEqual(['several_people'])
    expect(beside(0.4)).toEqual([])
    expect(reasonsAgainst({ ...sight, body: null, people: [person, moved(person, 400, 1)] }, 'front')).toEqual([
      'several_people',
    ])
  })

  it('takes two sights of one person for one', () => {
    const sight = drawn()
    expect(reasonsAgainst({ ...sight, people: [sight.people[0], moved(sight.people[0], 20, 1)] }, 'front')).toEqual([])
  })

  it('lacks the head when there is no room above the eyes, or no face', () => {
    expect(against({ down: -95 })).toEqual([])
    expect(against({ down: -105 })).toEqual(['head_out_of_frame'])
    expect(reasonsAgainst(unsure(drawn(), [0, 1, 2, 3, 4], 0.2), 'front')).toEqual(['head_out_of_frame'])
  })

  it('lacks the feet when a heel lies below it, an ankle is hidden or MoveNet misses one', () => {
    expect(against({ down: 95 })).toEqual([])
    expect(against({ down: 105 })).toEqual(['feet_out_of_frame'])
    expect(reasonsAgainst(hidden(drawn(), 27, { visibility: 0.4 }), 'front')).toEqual(['feet_out_of_frame'])
    expect(reasonsAgainst(hidden(drawn(), 30, { x: WIDTH + 1 }), 'front')).toEqual(['feet_out_of_frame'])
    expect(reasonsAgainst(unsure(drawn(), [15], 0.1), 'front')).toEqual(['feet_out_of_frame'])
  })

  it('asks for straight legs', () => {
    expect(against({ knees: 40 })).toEqual([])
    expect(against({ knees: 50 })).toEqual(['not_standing'])
  })

  it('asks for the front, and takes the back for no front', () => {
    expect(against({ yaw: 34 })).toEqual([])
    expect(against({ yaw: 40 })).toEqual(['turned'])
    expect(against({ yaw: -40 })).toEqual(['turned'])
    expect(against({ yaw: 180 })).toEqual(['turned'])
  })

  it('asks for an upright camera and a body of some size', () => {
    expect(against({ tilt: 18 })).toEqual([])
    expect(against({ tilt: -22, size: 0.8 })).toEqual(['tilted'])
    expect(against({ size: 0.18 })).toEqual([])
    expect(against({ size: 0.17 })).toEqual(['too_small'])
  })

  it('tells all reasons, the main one first', () => {
    expect(against({ knees: 60, yaw: 50, tilt: 25, size: 0.8 })).toEqual(['not_standing', 'turned', 'tilted'])
  })
})

describe('a photo from the side', () => {
  it('asks for a quarter turn', () => {
    expect(reasonsAgainst(drawn({ yaw: 90 }), 'side')).toEqual([])
    expect(reasonsAgainst(drawn({ yaw: 20 }), 'side')).toEqual(['not_from_the_side'])
  })
})

describe('proportions', () => {
  const LENGTHS = { shoulder: 41, hips: 28, upperArm: 36, forearm: 26, thigh: 42, shank: 43 }
  it('are a person’s within 5 standard deviations, but for limbs that look short', () => {
    expect(isImplausible(LENGTHS, 175)).toBe(false)
    expect(isImplausible({ ...LENGTHS, upperArm: 10, forearm: 5, shank: 25 }, 175)).toBe(false)
    expect(isImplausible({ ...LENGTHS, forearm: 40 }, 175)).toBe(true)
    expect(isImplausible({ ...LENGTHS, shoulder: 60 }, 175)).toBe(true)
    expect(isImplausible({ ...LENGTHS, shoulder: 30 }, 175)).toBe(true)
  })
})
