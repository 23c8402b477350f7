/** One part of a form as it came over the wire. */
export interface Part {
  readonly name: string
  readonly filename: string | null
  readonly type: string | null
  readonly bytes: Buffer
}

const LINE_END = '\r\n'

/** The parts of a multipart body, byte for byte (RFC 7578). @throws Error for a body that a strict reader would refuse. */
export const readMultipart = (contentType: string, body: Buffer): Part[] => {
  const boundary = /^multipart\/form-data; ?boundary="?([^";]+)"?$/.exec(contentType)?.[1]
  if (boundary === undefined) throw new Error('no multipart/form-data with a boundary')
  const delimiter = Buffer.from(`${LINE_END}--${boundary}`)
  // The first delimiter has no line end before it; with one put there all are alike.
  const text = Buffer.concat([Buffer.from(LINE_END), body])
  const parts: Part[] = []
  let at = text.indexOf(delimiter)
  if (at !== 0) throw new Error('does not begin with its boundary')
  for (;;) {
    const begin = at + delimiter.length
    if (text.subarray(begin, begin + 2).toString() === '--') return parts
    at = text.indexOf(delimiter, begin)
    if (at < 0) throw new Error('ends without its last boundary')
    parts.push(readPart(text.subarray(begin + LINE_END.length, at)))
  }
}

const readPart = (bytes: Buffer): Part => {
  const headEnd = bytes.indexOf(LINE_END + LINE_END)
  if (headEnd < 0) throw new Error('a part without a head')
  const head = bytes.subarray(0, headEnd).toString()
  const disposition = /^content-disposition: form-data; name="([^"]*)"(?:; filename="([^"]*)")?\r?$/im.exec(head)
  if (disposition === null) throw new Error('a part without a name')
  return {
    name: disposition[1] ?? '',
    filename: disposition[2] ?? null,
    type: /^content-type: (.+?)\r?$/im.exec(head)?.[1] ?? null,
    bytes: bytes.subarray(headEnd + 2 * LINE_END.length),
  }
}
