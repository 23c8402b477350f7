import { z } from 'zod'
import { generationFacts } from './generation.ts'
import { refundFacts } from './refund.ts'
import { type Upcasters, upcasters } from './upcasters.ts'

/** A fact: an event that the session's machine accepted, as it is kept in the journal. */
export const Fact = z.discriminatedUnion('type', [...generationFacts, ...refundFacts])
export type Fact = z.infer<typeof Fact>
export type FactType = Fact['type']
export type FactOf<Type extends FactType> = Extract<Fact, { type: Type }>

/** What a fact says, before it has its place in a session: the envelope is added when the machine accepts it. */
export type NewFact = { [Type in FactType]: { type: Type; data: FactOf<Type>['data'] } }[FactType]

/** The version in which each fact is written today. */
export const factVersions = Object.fromEntries(
  Fact.options.map(({ shape: { type, version } }) => [type.value, version.value]),
) as Readonly<Record<FactType, number>>

const VERSIONS_MAX = 100

/** A reader of stored facts that lifts old versions with these upcasters. */
export const factReader =
  (lifts: Upcasters) =>
  (stored: unknown): Fact => {
    let current = stored
    for (let lifted = 0; lifted < VERSIONS_MAX; lifted++) {
      const lift = lifts[versionKey(current)]
      if (lift === undefined) return Fact.parse(current)
      current = lift(current as Record<string, unknown>)
    }
    throw new Error(`upcasters of ${versionKey(stored)} do not end`)
  }

const versionKey = (stored: unknown): string => {
  const { type, version } = (stored ?? {}) as { type?: unknown; version?: unknown }
  return `${String(type)}@${String(version)}`
}

/** Reads a stored fact of any version ever written. @throws z.ZodError for what was never a fact. */
export const parseFact: (stored: unknown) => Fact = factReader(upcasters)
