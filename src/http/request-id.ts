const SANE = /^[\x21-\x7e]{1,200}$/

/** The client's own id of its request when it is sane, else a new one. */
export const requestIdOf = (header: string | string[] | undefined, newId: () => string): string =>
  typeof header === 'string' && SANE.test(header) ? header : `req_${newId()}`
