import type { History } from '../../src/machines/ports/history.ts'

/** No archive: nothing is known and every owner is admitted. */
export const noHistory: History = {
  admit: async () => ({ admitted: true, archived: null }),
  knows: async () => new Set(),
  head: async () => null,
  step: async () => null,
  sessionsAfter: async () => new Map(),
  mend: async () => 'mended',
}
