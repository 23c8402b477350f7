import type { Clock, Environment } from '../../src/machines/ports/environment.ts'

/** An environment that says nothing to anyone; chance always falls in the middle, and ids count up. */
export const quietEnvironment = (clock: Clock): Environment => {
  let ids = 0
  const silent = () => {}
  return {
    clock,
    meter: { count: silent, observe: silent, gauge: silent },
    logger: { info: silent, warn: silent, error: silent },
    newId: () => `id-${++ids}`,
    random: () => 0.5,
  }
}
