import { describe, expect, it } from 'vitest'
import { initialTransition, transition } from 'xstate'
import { type PoseModelEvent, poseModelMachine, takesPictures } from '../../../src/machines/pose-model.ts'

const started: PoseModelEvent = { type: 'engine.started' }
const ready: PoseModelEvent = { type: 'engine.ready', backend: 'wasm' }
const ended = (wasReady: boolean, again: 'at_once' | 'later'): PoseModelEvent => ({
  type: 'engine.ended',
  wasReady,
  again,
  reason: 'it broke',
})
const after = (...events: PoseModelEvent[]) =>
  events.reduce(
    (snapshot, event) => transition(poseModelMachine, snapshot, event)[0],
    initialTransition(poseModelMachine)[0],
  )

describe('the models of a process', () => {
  it.each<[string, string, boolean, PoseModelEvent[]]>([
    ['loads at first', 'loading', false, []],
    ['loads while the first engine is on its way', 'loading', false, [started]],
    ['is ready with the first engine', 'ready', true, [started, ready]],
    ['is ready while one of two is left', 'ready', true, [started, ready, started, ready, ended(true, 'later')]],
    [
      'retries when the last one ended and another one comes at once',
      'retrying',
      true,
      [started, ready, ended(true, 'at_once')],
    ],
    [
      'retries when the last one ended while another one is on its way',
      'retrying',
      true,
      [started, ready, started, ended(true, 'later')],
    ],
    [
      'fails when the last one ended and none comes for a while',
      'failed',
      false,
      [started, ready, ended(true, 'later')],
    ],
    ['fails when the first one never became ready', 'failed', false, [started, ended(false, 'later')]],
    ['still loads while another one is on its way', 'loading', false, [started, started, ended(false, 'later')]],
    ['retries from failed', 'retrying', true, [started, ended(false, 'later'), started]],
    ['fails again', 'failed', false, [started, ended(false, 'later'), started, ended(false, 'later')]],
    ['is ready after a failure', 'ready', true, [started, ended(false, 'later'), started, ready]],
    ['stays closed', 'closed', false, [started, { type: 'pool.closed' }, ready]],
  ])('%s', (_, state, takes, events) => {
    const snapshot = after(...events)
    expect(snapshot.value).toBe(state)
    expect(takesPictures(snapshot)).toBe(takes)
  })

  it('says why it failed until it is ready again', () => {
    expect(after(started, ended(false, 'later')).context).toEqual({
      starting: 0,
      ready: 0,
      backend: null,
      reason: 'it broke',
    })
    expect(after(started, ended(false, 'later'), started, ready).context).toEqual({
      starting: 0,
      ready: 1,
      backend: 'wasm',
      reason: null,
    })
  })
})
