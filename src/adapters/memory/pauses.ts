import type { Pauses } from '../../machines/ports/pauses.ts'
import { type StoreState, valueOf } from './store-state.ts'

export const memoryPauses = ({ pauses }: StoreState): Pauses => ({
  list: async () =>
    [...pauses.values()].toSorted((a, b) => Date.parse(a.since) - Date.parse(b.since) || (a.scope < b.scope ? -1 : 1)),
  pause: async (pause) => valueOf(pauses, pause.scope, () => pause),
  resume: async (scope) => {
    const stood = pauses.get(scope) ?? null
    pauses.delete(scope)
    return stood
  },
})
