/** Longer than any measurement: what is not there by then was lost. */
const DEADLINE_MS = 120_000

/** Waits for what a measurement waits for, but not for ever. @throws Error that names it */
export const within = async <Value>(promise: Promise<Value>, what: string): Promise<Value> => {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no ${what} within ${DEADLINE_MS / 1000} s`)), DEADLINE_MS)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves `reached` once it was told of so many. */
export const countTo = (count: number) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let seen = 0
  return {
    reached: promise,
    add: (more = 1) => {
      seen += more
      if (seen >= count) resolve()
    },
  }
}
