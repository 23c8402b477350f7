import { createHash } from 'node:crypto'

/** A UUID that is the same for the same text, as PostgreSQL's `md5(…)::uuid`. */
export const uuidOf = (text: string): string =>
  createHash('md5')
    .update(text)
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
