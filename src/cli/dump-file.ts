import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import {
  dumpEnd,
  dumpHead,
  dumpLine,
  type Recorded,
  type RecordedFact,
  readDump,
  readDumpHead,
} from '../projections/fact-dump.ts'
import { CommandFailed } from './client.ts'

/** Facts hold no personal data in a dump, and are nobody else's business all the same. */
const OWN = 0o600

const STANDARD = '-'

/** A dump that is being written, to a file or (`-`) to stdout. */
export interface DumpWriter {
  fact(recorded: RecordedFact): Promise<void>
  /** Without it the dump is one that breaks off. */
  end(): Promise<void>
}

/** @throws CommandFailed when the file cannot be written */
export const writeDump = async (file: string, factsMax: number): Promise<DumpWriter> => {
  const out = file === STANDARD ? process.stdout : createWriteStream(file, { mode: OWN })
  if (file !== STANDARD) await openedFor(once(out, 'open'), file, 'written')
  let facts = 0
  await put(out, dumpHead(factsMax))
  return {
    fact: ({ fact, state }) => {
      facts++
      return put(out, dumpLine(fact, state))
    },
    end: async () => {
      await put(out, dumpEnd(facts))
      if (out === process.stdout) return
      out.end()
      await finished(out)
    },
  }
}

/** As fast as it is taken. */
const put = async (out: Writable, line: string): Promise<void> => {
  if (!out.write(`${line}\n`)) await once(out, 'drain')
}

/** What a dump holds, of a file or (`-`) of stdin. @throws CommandFailed, DumpUnreadable */
export const openDump = async (file: string): Promise<{ factsMax: number; recorded: AsyncIterable<Recorded> }> => {
  const input = file === STANDARD ? process.stdin : createReadStream(file)
  if (file !== STANDARD) await openedFor(once(input, 'open'), file, 'read')
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]()
  const { value } = await lines.next()
  return { factsMax: readDumpHead(value), recorded: readDump({ [Symbol.asyncIterator]: () => lines }) }
}

const openedFor = async (opening: Promise<unknown>, file: string, what: string): Promise<void> => {
  await opening.catch((error: unknown) => {
    throw new CommandFailed(`${file} cannot be ${what} (${(error as { code?: string }).code ?? String(error)})`)
  })
}
