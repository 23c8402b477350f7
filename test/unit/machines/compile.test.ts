import { describe, expect, it } from 'vitest'
import { assign, setup } from 'xstate'
import { compile } from '../../../src/machines/compile.ts'

const machines = setup({
  guards: { always: () => true },
  actions: { remember: assign(() => ({})), log: () => {} },
})

/** A machine with two states; `first` adds to the one that it begins in. */
const machine = (first: object, more: object = {}) =>
  machines.createMachine({ initial: 'first', states: { first, second: {} }, ...more })

const on = (transition: object) => ({ on: { 'generation.requested': { target: 'second', ...transition } } })

describe('compiling a machine', () => {
  it('takes what a table can say: named guards and named assignments', () => {
    const table = compile(machine(on({ guard: 'always', actions: 'remember' })))
    expect([...table.states.keys()]).toEqual(['first', 'second'])
  })

  it('lets the innermost state answer first, and then the states around it', () => {
    const inner = { initial: 'leaf', states: { leaf: on({ target: '#outside', guard: 'always' }) }, ...on({}) }
    const table = compile(machine(inner, { states: { first: inner, second: {}, outside: { id: 'outside' } } }))
    const branches = [...table.states.values()][0]?.on.get('generation.requested')
    expect(branches?.map(({ target }) => target)).toEqual(['outside', 'second'])
  })

  it.each([
    ['a timer', machine({ after: { 5: 'second' } })],
    ['an invocation', machine({ invoke: { src: 'work' } })],
    ['states side by side', machine({}, { type: 'parallel', initial: undefined })],
    ['an action at the entry', machine({ entry: 'remember' })],
    ['an action at the exit', machine({ exit: 'remember' })],
    ['a transition without an event', machine({ always: 'second' })],
    ['a memory of where it was', machine({ initial: 'a', states: { a: {}, back: { type: 'history' } } })],
    ['an action at the start', machine({ initial: { target: 'a', actions: 'remember' }, states: { a: {} } })],
  ])('refuses %s', (_, odd) => {
    expect(() => compile(odd)).toThrow(/uses more of a statechart than a table can say/)
  })

  it.each([
    [
      'an event that is no fact',
      machine({ on: { 'generation.paused': 'second' } }),
      /generation\.paused in first is no fact/,
    ],
    ['any event', machine({ on: { '*': 'second' } }), /is no fact/],
    [
      'the end of an inner state',
      machine({ initial: 'a', states: { a: { type: 'final' } }, onDone: 'second' }),
      /is no fact/,
    ],
    ['an action that does work', machine(on({ actions: 'log' })), /action of first is no assign/],
    ['an action without a name', machine(on({ actions: () => {} })), /not implemented in setup/],
    ['a guard without a name', machine(on({ guard: () => true })), /not implemented in setup/],
    ['a guard that nobody wrote', machine(on({ guard: 'sometimes' })), /sometimes is not implemented in setup/],
    [
      'a guard with parameters',
      machine(on({ guard: { type: 'always', params: { x: 1 } } })),
      /always takes parameters/,
    ],
    ['a computed context', machine({}, { context: () => ({}) }), /context is computed/],
  ])('refuses %s', (_, odd, reason) => {
    expect(() => compile(odd)).toThrow(reason)
  })
})
