import type { ProjectionStatus, ProjectionTables, Rebuilds, RowPatch, RowsOwner } from '../../../projections/store.ts'
import type { CallFunction } from './functions.ts'

/** The projections' tables behind the database's functions. */
export const databaseTables = (call: CallFunction, rowsOwner: RowsOwner): ProjectionTables => ({
  position: async (name) => Number(await call('wearon_projection_position', { p_name: name })),
  apply: async (name, from, to, patches) =>
    (await call('wearon_apply', {
      p_name: name,
      p_from: from,
      p_to: to,
      p_patches: patches.map(flat),
      p_rows_owner: rowsOwner,
    })) as 'applied' | 'moved',
  status: async () => (await call('wearon_projection_status', {})) as ProjectionStatus[],
  retrySetAside: async (name) =>
    Number(await call('wearon_retry_set_aside', { p_name: name, p_rows_owner: rowsOwner })),
})

/** Rebuilds behind the database's functions. */
export const databaseRebuilds = (call: CallFunction, rowsOwner: RowsOwner): Rebuilds => ({
  begin: async (name) => {
    await call('wearon_rebuild_begin', { p_name: name })
  },
  switchOver: async (name) => {
    for (;;) {
      const switched = (await call('wearon_rebuild_switch', { p_name: name, p_rows_owner: rowsOwner })) as Switched
      if (switched.outcome !== 'part') return switched
    }
  },
})

/** What one call of the switch answers: the database takes some thousand rows at a time, `part` while there are more. */
type Switched = { outcome: 'part' } | Awaited<ReturnType<Rebuilds['switchOver']>>

const flat = ({ sessionId, seq, set }: RowPatch) => ({ session_id: sessionId, seq, ...set })
