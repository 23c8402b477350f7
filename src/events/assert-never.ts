/** The end of every switch over a union: the type checker proves it unreachable. */
export const assertNever = (value: never): never => {
  throw new Error(`unhandled case: ${JSON.stringify(value)}`)
}
