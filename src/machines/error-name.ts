const CODE = /^[\w.:-]{1,60}$/

/** An error's class and code, never its message: a driver's message may carry a URL, a secret or a person's data. */
export const errorName = (error: unknown): string => {
  if (!(error instanceof Error)) return 'not an Error'
  const { code } = error as { code?: unknown }
  return [error.name, code].filter((part) => typeof part === 'string' && CODE.test(part)).join(' ') || 'Error'
}
