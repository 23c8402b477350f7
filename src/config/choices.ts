import type { Variables } from './variables.ts'

/** What was chosen where a choice can be left open, and why: printed at start. */
export interface Choice<Value extends string = string> {
  /** The variable that would say it. */
  readonly name: string
  readonly value: Value
  readonly because: string
}

/** A type, no interface: `Object.values` knows what is in it. */
export type Choices = {
  readonly eventLog: Choice<NonNullable<Variables['EVENT_LOG']>>
  readonly store: Choice<NonNullable<Variables['STORE']>>
  readonly objects: Choice<NonNullable<Variables['OBJECTS']>>
  readonly generator: Choice<NonNullable<Variables['GENERATOR']>>
}

/** A choice that is not made follows from what is set: the platform's present environment is enough. */
export const choose = (variables: Variables): Choices => ({
  eventLog: choice(
    'EVENT_LOG',
    variables.EVENT_LOG,
    ['embedded', 'no REDIS_URL and no KAFKA_BROKERS'],
    [
      [variables.KAFKA_BROKERS.length > 0, 'kafka', 'KAFKA_BROKERS is set'],
      [variables.REDIS_URL !== undefined, 'redis', 'REDIS_URL is set'],
    ],
  ),
  store: choice(
    'STORE',
    variables.STORE,
    ['embedded', 'no SUPABASE_URL and no DATABASE_URL'],
    [
      [variables.SUPABASE_URL !== undefined, 'supabase', 'SUPABASE_URL is set'],
      [variables.DATABASE_URL !== undefined, 'postgres', 'DATABASE_URL is set'],
    ],
  ),
  objects: choice(
    'OBJECTS',
    variables.OBJECTS,
    ['folder', 'no SUPABASE_URL'],
    [[variables.SUPABASE_URL !== undefined, 'supabase', 'SUPABASE_URL is set']],
  ),
  generator: choice(
    'GENERATOR',
    variables.GENERATOR,
    ['preview', 'no OPENAI_API_KEY'],
    [[variables.OPENAI_API_KEY !== undefined, 'openai', 'OPENAI_API_KEY is set']],
  ),
})

/** What the variable says; else the first rule that holds; else the default. */
const choice = <Value extends string>(
  name: string,
  said: Value | undefined,
  [fallback, reason]: readonly [value: Value, because: string],
  rules: readonly (readonly [holds: boolean, value: Value, because: string])[],
): Choice<Value> => {
  if (said !== undefined) return { name, value: said, because: `${name} says so` }
  const [, value, because] = rules.find(([holds]) => holds) ?? [true, fallback, reason]
  return { name, value, because }
}
