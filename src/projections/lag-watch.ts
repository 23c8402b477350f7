import type { Environment } from '../machines/ports/environment.ts'
import type { Archive, ProjectionTables } from './store.ts'

/** Sees from outside how far projections are behind the archive, so that one that stands still shows too. */
export class LagWatch {
  readonly #names: readonly string[]
  readonly #archive: Archive
  readonly #tables: ProjectionTables
  readonly #env: Environment

  constructor(
    names: readonly string[],
    { archive, tables }: { readonly archive: Archive; readonly tables: ProjectionTables },
    env: Environment,
  ) {
    this.#names = names
    this.#archive = archive
    this.#tables = tables
    this.#env = env
  }

  async look(): Promise<void> {
    const positions = new Map((await this.#tables.status()).map(({ name, position }) => [name, position]))
    // Read after the positions: a projection is never ahead of it.
    const head = await this.#archive.head()
    for (const projection of this.#names) {
      const position = positions.get(projection) ?? 0
      this.#env.meter.gauge('projection_lag_facts', head - position, { projection })
      const lagSeconds = await lagSecondsOf(position, head, this.#archive, this.#env.clock.now())
      this.#env.meter.gauge('projection_lag_seconds', lagSeconds, { projection })
    }
  }
}

/** The age of the first fact behind a projection's position, in seconds. */
export const lagSecondsOf = async (
  position: number,
  head: number,
  archive: Pick<Archive, 'read'>,
  nowMs: number,
): Promise<number> => {
  if (position >= head) return 0
  const [first] = await archive.read(position, 1)
  return first === undefined ? 0 : Math.max(0, (nowMs - Date.parse(first.fact.at)) / 1_000)
}
