import { z } from 'zod'
import { erasedFact } from '../events/erasure.ts'
import { type Fact, parseFact } from '../events/fact.ts'

/**
 * Facts in a file, for another version to fold: JSON, one object a line. First what it holds, then each fact with where the machine
 * of the version that wrote it left the session, at last how many facts there are. Every session in it is there from its first fact
 * on. Without personal data.
 */
const DUMP = 'wearon facts'
const FORMAT = 1

const Head = z.object({
  dump: z.literal(DUMP),
  format: z.literal(FORMAT),
  /** So many facts follow at most. */
  facts_max: z.int().nonnegative(),
})

const Line = z.object({ state: z.string().nullable(), fact: z.unknown() })
const End = z.object({ end: z.int().nonnegative() })

/** What is read cannot be taken for the facts of a deployment. */
export class DumpUnreadable extends Error {
  override readonly name = 'DumpUnreadable'
}

export const dumpHead = (factsMax: number): string =>
  JSON.stringify({ dump: DUMP, format: FORMAT, facts_max: factsMax })

export const dumpLine = (fact: Fact, state: string | null): string => JSON.stringify({ state, fact: erasedFact(fact) })

export const dumpEnd = (facts: number): string => JSON.stringify({ end: facts })

/** How many facts follow at most. @throws DumpUnreadable */
export const readDumpHead = (line: string | undefined): number => {
  const head = Head.safeParse(json(line ?? ''))
  if (head.success) return head.data.facts_max
  throw new DumpUnreadable(`this is no dump of facts in format ${FORMAT}: wearon replay --record FILE makes one`)
}

/** A fact, and where the machine of its time left the session; null when nobody wrote that down. */
export interface RecordedFact {
  readonly fact: Fact
  readonly state: string | null
}

/** What this version cannot read as a fact. */
export interface UnreadableFact {
  /** `<session>/<seq>`, or its place in the archive. */
  readonly id: string
  readonly why: string
}

export type Recorded = RecordedFact | UnreadableFact

/** What stands in the lines behind the head. @throws DumpUnreadable when they are broken, or do not come to their end. */
export async function* readDump(lines: AsyncIterable<string>): AsyncGenerator<Recorded> {
  let facts = 0
  for await (const line of lines) {
    const stored = json(line)
    const end = End.safeParse(stored)
    if (end.success && end.data.end === facts) return
    const read = Line.safeParse(stored)
    if (!read.success) throw new DumpUnreadable(`line ${facts + 2} of the dump is broken`)
    facts++
    yield recordedFact(read.data)
  }
  throw new DumpUnreadable(`the dump breaks off after ${facts} facts: it was not written to its end`)
}

const recordedFact = ({ fact, state }: z.infer<typeof Line>): Recorded => {
  try {
    return { fact: parseFact(fact), state }
  } catch (error) {
    const { id } = z.object({ id: z.string() }).catch({ id: 'a fact' }).parse(fact)
    return { id, why: whyUnreadable(error) }
  }
}

/** What was wrong with a stored fact, on one line. */
export const whyUnreadable = (error: unknown): string =>
  error instanceof z.ZodError
    ? error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')
    : String(error)

const json = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
