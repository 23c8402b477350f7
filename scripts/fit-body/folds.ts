import { measureBy } from '../../src/body/regression.ts'
import { chartFor } from '../../src/body/sizing.ts'
import { seeded } from '../../src/simulation/scheduler.ts'
import { fitTier, only, SEED, type Tier } from './fit.ts'
import { normalFrom, observed } from './noise.ts'
import type { Person } from './people.ts'
import { at } from './ridge.ts'
import { assess, type Row } from './table.ts'

const PARTS = 5

/**
 * Everybody of one sex, asked by a fit of the parts of them that they are not in. The few hundred women whom `split` holds out are too
 * few to tell how well a tier's confidence holds for women alone: it comes out too low for those, and too high for the rest.
 */
export function inTurn(people: readonly Person[], sex: Person['sex'], tier: Tier): Row {
  const random = seeded(SEED)
  const normal = normalFrom(random)
  const sights = people
    .filter((person) => person.sex === sex)
    .map((person) => ({
      person,
      seen: observed(person.features, normal),
      part: Math.floor(random() * PARTS),
    }))
  const models = Array.from({ length: PARTS }, (_, out) =>
    fitTier(
      sights.filter(({ part }) => part !== out),
      tier,
    ),
  )
  return assess(sights, chartFor(sex), ({ seen, part }) => measureBy(at(models, part), only(seen, tier)))
}
