import { sniff } from '../../pictures/sniff.ts'

/** What a picture is served as, by its first bytes. */
export const contentTypeOf = (bytes: Uint8Array): string => {
  const format = sniff(bytes)
  return format === null ? 'application/octet-stream' : `image/${format}`
}
