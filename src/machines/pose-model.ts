import { assign, type SnapshotFrom, setup } from 'xstate'
import type { PoseModelStatus } from './ports/pose.ts'

/** What happens to the engines of a pool. */
export type PoseModelEvent =
  | { readonly type: 'engine.started' }
  | { readonly type: 'engine.ready'; readonly backend: 'node' | 'wasm' }
  /** `wasReady`: it had passed its self-test. `again`: whether another one is started in its place at once, or after a while. */
  | {
      readonly type: 'engine.ended'
      readonly wasReady: boolean
      readonly again: 'at_once' | 'later'
      readonly reason: string
    }
  | { readonly type: 'pool.closed' }

interface PoseModelContext {
  /** Engines on their way to their self-test. */
  readonly starting: number
  readonly ready: number
  readonly backend: PoseModelStatus['backend']
  readonly reason: string | null
}

/**
 * The life of the models of one process, over all of its engines. It decides and does no work: the pool starts engines and tells
 * what came of it. In `loading` and `retrying` an engine is on its way, in `failed` none is for a while; `meta.takes` says whether a
 * picture may wait for an engine in that state.
 */
export const poseModelMachine = setup({
  types: { context: {} as PoseModelContext, events: {} as PoseModelEvent, meta: {} as { takes: boolean } },
  guards: {
    stillReady: ({ context: { ready }, event }) => ready > (event.type === 'engine.ended' && event.wasReady ? 1 : 0),
    onItsWay: ({ context: { starting }, event }) =>
      event.type === 'engine.ended' && (event.again === 'at_once' || starting > (event.wasReady ? 0 : 1)),
  },
  actions: {
    start: assign(({ context }) => ({ starting: context.starting + 1 })),
    ready: assign(({ context, event }) => {
      if (event.type !== 'engine.ready') return {}
      return { starting: context.starting - 1, ready: context.ready + 1, backend: event.backend, reason: null }
    }),
    end: assign(({ context: { starting, ready }, event }) => {
      if (event.type !== 'engine.ended') return {}
      const { wasReady, reason } = event
      return wasReady ? { ready: ready - 1, reason } : { starting: starting - 1, reason }
    }),
  },
}).createMachine({
  id: 'pose-model',
  context: { starting: 0, ready: 0, backend: null, reason: null },
  initial: 'loading',
  on: {
    'engine.started': { actions: 'start' },
    'engine.ready': { target: '.ready', actions: 'ready' },
    'pool.closed': '.closed',
  },
  states: {
    loading: {
      meta: { takes: false },
      on: {
        'engine.ended': [
          { guard: 'onItsWay', actions: 'end' },
          { target: 'failed', actions: 'end' },
        ],
      },
    },
    ready: {
      meta: { takes: true },
      on: {
        'engine.ended': [
          { guard: 'stillReady', actions: 'end' },
          { guard: 'onItsWay', target: 'retrying', actions: 'end' },
          { target: 'failed', actions: 'end' },
        ],
      },
    },
    retrying: {
      meta: { takes: true },
      on: {
        'engine.ended': [
          { guard: 'onItsWay', actions: 'end' },
          { target: 'failed', actions: 'end' },
        ],
      },
    },
    failed: {
      meta: { takes: false },
      on: { 'engine.started': { target: 'retrying', actions: 'start' } },
    },
    closed: {
      meta: { takes: false },
      on: { 'engine.ready': { actions: 'ready' }, 'engine.ended': { actions: 'end' } },
    },
  },
})

export type PoseModelSnapshot = SnapshotFrom<typeof poseModelMachine>

/** Whether a picture may wait for an engine. */
export const takesPictures = (snapshot: PoseModelSnapshot): boolean =>
  Object.values(snapshot.getMeta()).some((meta) => meta?.takes === true)
