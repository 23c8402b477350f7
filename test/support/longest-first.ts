import { basename } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The files that take longest, the longest first: one that began last would run alone at the end. */
const LONGEST = [
  'chaos',
  'kill-nine',
  'generate-killed',
  'event-log-kafka',
  'restart',
  'app',
  'pictures-many',
  'estimate-body-photos',
  'store-supabase',
  'store-postgres',
  'event-log-kafka-cluster',
  'store-embedded',
  'event-log-embedded',
  'event-log-postgres',
  'operations-guide',
  'store-migrations',
  'objects-supabase-app',
  'keys-app',
]

/** Runs the files that take long before the others, wherever nobody has measured them yet. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- vitest's own method.
    const others = await super.sort(files.filter((file) => rankOf(file) === LONGEST.length))
    const long = files.filter((file) => rankOf(file) < LONGEST.length)
    return [...long.toSorted((a, b) => rankOf(a) - rankOf(b)), ...others]
  }
}

/** Its place among the longest; behind all of them for another file. */
const rankOf = ({ moduleId }: TestSpecification): number => {
  const place = LONGEST.indexOf(basename(moduleId, '.test.ts'))
  return place === -1 ? LONGEST.length : place
}
