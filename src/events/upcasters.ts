import { notNoted } from './generation.ts'

/** Lifts a stored fact of an older version by one version. Keyed `<type>@<version>`; a stored fact is never edited. */
export type Upcasters = Readonly<Record<string, (stored: Json) => Json>>

type Json = Record<string, unknown>

/** What an image of version 1 tells of its making, in today's shape: what was not noted then is null, or none. */
export const liftedMaking = ({ usage, provenance, ...rest }: Json): Json => ({
  ...rest,
  usage: { byKind: null, ...(usage as Json) },
  provenance: { ...notNoted, ...(provenance as Json) },
})

export const upcasters: Upcasters = {
  'generation.completed@1': (stored) => {
    const { attempt, result } = stored['data'] as { attempt: unknown; result: Json }
    return { ...stored, version: 2, data: { attempt, result: liftedMaking(result) } }
  },
}
