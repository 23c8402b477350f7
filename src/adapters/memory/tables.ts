import { isoTime } from '../../events/text.ts'
import type { RefundColumns } from '../../projections/refunds.ts'
import { type CreationColumns, patchedSession, type SessionColumns } from '../../projections/sessions.ts'
import type {
  DriftReport,
  DriftSample,
  ProjectionTables,
  Rebuilds,
  RowPatch,
  RowsOwner,
} from '../../projections/store.ts'
import { shadowName } from '../../projections/store.ts'
import type { MemoryLedger } from './ledger.ts'
import { type PlatformRow, type StoreState, valueOf } from './store-state.ts'

export const memoryTables = (state: StoreState, ledger: MemoryLedger, rowsOwner: RowsOwner): ProjectionTables => {
  const asideOf = (name: string) => valueOf(state.setAside, name, () => new Map<RowPatch['sessionId'], RowPatch[]>())
  const at = (name: string) => valueOf(state.projections, name, () => ({ position: 0, gone: 0 }))
  const write = (name: string, patch: RowPatch) => writePatch(state, ledger, rowsOwner, name, patch)
  return {
    position: async (name) => state.projections.get(name)?.position ?? 0,
    apply: async (name, from, to, patches) => {
      const projection = at(name)
      if (projection.position !== from) return 'moved'
      const aside = asideOf(name)
      for (const patch of patches) {
        if (aside.has(patch.sessionId) || write(name, patch) === 'refused') {
          valueOf(aside, patch.sessionId, () => []).push(patch)
        }
      }
      projection.position = to
      return 'applied'
    },
    status: async () =>
      [...state.projections].map(([name, { position, gone }]) => ({
        name,
        position,
        gone,
        setAside: [...asideOf(name).values()].flat().length,
      })),
    retrySetAside: async (name) => {
      const aside = asideOf(name)
      for (const [session, patches] of aside) {
        while (patches[0] !== undefined && write(name, patches[0]) !== 'refused') patches.shift()
        if (patches.length === 0) aside.delete(session)
      }
      return aside.size
    },
  }
}

const writePatch = (
  state: StoreState,
  ledger: MemoryLedger,
  rowsOwner: RowsOwner,
  name: string,
  patch: RowPatch,
): 'written' | 'refused' => {
  if (name.endsWith('.shadow')) return writeShadow(state, name, patch)
  if (name === 'refunds') return writeRefund(state, patch)
  if (name === 'sessions') return writeSession(state, ledger, rowsOwner, patch)
  throw new Error(`there is no projection named ${name}`)
}

const writeShadow = (state: StoreState, name: string, patch: RowPatch): 'written' => {
  const rows = valueOf(state.shadows, name, () => new Map<RowPatch['sessionId'], RowPatch>())
  const known = rows.get(patch.sessionId)
  if (known === undefined || known.seq < patch.seq) {
    rows.set(patch.sessionId, { ...patch, set: { ...known?.set, ...patch.set } })
  }
  return 'written'
}

const writeRefund = (state: StoreState, { sessionId, seq, set }: RowPatch): 'written' => {
  const row = state.refunds.get(sessionId)
  if ((row?.seq ?? 0) < seq) state.refunds.set(sessionId, { ...row, ...(set as RefundColumns), seq })
  return 'written'
}

const writeSession = (
  state: StoreState,
  ledger: MemoryLedger,
  rowsOwner: RowsOwner,
  { sessionId, seq, set }: RowPatch,
): 'written' | 'refused' => {
  const patch = set as SessionColumns & CreationColumns
  const row = state.rows.get(sessionId) ?? (rowsOwner === 'ours' ? newRow(ledger, sessionId, patch) : null)
  if (row === null) {
    valueOf(state.projections, 'sessions', () => ({ position: 0, gone: 0 })).gone += 1
    return 'written'
  }
  const next = { ...patchedSession(row, patch), seq }
  if (refuses(next)) return 'refused'
  if (row.seq < seq) state.rows.set(sessionId, next)
  return 'written'
}

const newRow = (ledger: MemoryLedger, id: PlatformRow['id'], patch: CreationColumns): PlatformRow | null => {
  const { channel, owner_id: ownerId } = patch
  if (channel === undefined || ownerId === undefined) return null
  ledger.state.accounts.add(ownerId)
  if (channel === 'b2b') ledger.fund('stores', ownerId, 0)
  const requestId = patch.request_id ?? null
  const createdAt = patch.created_at ?? isoTime(0)
  return { id, channel, ownerId, requestId, shopperEmail: null, createdAt, seq: 0, origin: 'worker', status: 'queued' }
}

/** The bounds of PostgreSQL's `integer`, in which the platform keeps these. */
const INTEGER_MAX = 2_147_483_647

const refuses = (row: PlatformRow): boolean =>
  [row.processing_time_ms, row.input_tokens, row.output_tokens].some((value) => (value ?? 0) > INTEGER_MAX)

export const memoryRebuilds = (state: StoreState, ledger: MemoryLedger, rowsOwner: RowsOwner): Rebuilds => ({
  begin: async (name) => {
    state.shadows.delete(shadowName(name))
    state.projections.delete(shadowName(name))
  },
  switchOver: async (name) => {
    const shadow = shadowName(name)
    const position = state.projections.get(name)?.position ?? 0
    if ((state.projections.get(shadow)?.position ?? 0) !== position) return { outcome: 'behind', position }
    const patches = [...(state.shadows.get(shadow)?.values() ?? [])]
    const waiting = patches.filter(({ sessionId }) => !state.setAside.get(name)?.has(sessionId))
    const drifts = waiting.flatMap((patch) => correct(state, ledger, rowsOwner, name, patch))
    if (name === 'refunds') drifts.push(...removeUnknown(state, new Set(patches.map(({ sessionId }) => sessionId))))
    state.shadows.delete(shadow)
    state.projections.delete(shadow)
    return { outcome: 'switched', position, rows: waiting.length, ...driftReport(drifts) }
  },
})

/** A row that went with its user or store is not brought back. */
const hasAccount = (ledger: MemoryLedger, { set }: RowPatch): boolean =>
  ledger.state.accounts.has((set as CreationColumns).owner_id ?? '')

type Drift = DriftSample & { column: string }

const correct = (
  state: StoreState,
  ledger: MemoryLedger,
  rowsOwner: RowsOwner,
  name: string,
  patch: RowPatch,
): Drift[] => {
  const table: Map<RowPatch['sessionId'], object> = name === 'sessions' ? state.rows : state.refunds
  const before = table.get(patch.sessionId)
  if (name === 'refunds') {
    state.refunds.delete(patch.sessionId)
    writePatch(state, ledger, rowsOwner, name, patch)
  } else if (before !== undefined) {
    const { seq } = patch
    state.rows.set(patch.sessionId, { ...patchedSession(before as PlatformRow, patch.set as SessionColumns), seq })
  } else if (rowsOwner === 'ours' && hasAccount(ledger, patch)) writePatch(state, ledger, rowsOwner, name, patch)
  return differences(patch.sessionId, before, table.get(patch.sessionId))
}

const differences = (sessionId: string, before: object | undefined, after: object | undefined): Drift[] => {
  if (after === undefined) return []
  if (before === undefined) return [{ sessionId, column: 'row', was: null, now: 'missing' }]
  const was = before as Record<string, unknown>
  return Object.entries(after as Record<string, unknown>)
    .filter(([column, now]) => (was[column] ?? null) !== (now ?? null))
    .map(([column, now]) => ({ sessionId, column, was: was[column] ?? null, now }))
}

const removeUnknown = (state: StoreState, known: ReadonlySet<string>): Drift[] => {
  const unknown = [...state.refunds.keys()].filter((id) => !known.has(id) && !state.setAside.get('refunds')?.has(id))
  for (const id of unknown) state.refunds.delete(id)
  return unknown.map((sessionId) => ({ sessionId, column: 'row', was: 'superfluous', now: null }))
}

/** As many as a person looks at. */
const SAMPLES_MAX = 5

const driftReport = (drifts: readonly Drift[]): Pick<DriftReport, 'drifted' | 'columns'> => ({
  drifted: new Set(drifts.map(({ sessionId }) => sessionId)).size,
  columns: Object.fromEntries(
    [...Map.groupBy(drifts, ({ column }) => column)].map(([column, of]) => [
      column,
      {
        count: of.length,
        samples: of.slice(0, SAMPLES_MAX).map(({ sessionId, was, now }) => ({ sessionId, was, now })),
      },
    ]),
  ),
})
