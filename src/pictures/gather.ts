/** What a body without a stated length begins with; it grows by doubling. */
const FIRST_BYTES = 64 * 1024
/** Ten megabytes in pieces of 256 bytes. Smaller ones cost more to handle than they carry. */
const PIECES_MAX = 40_000

/**
 * A body in one block, whatever the pieces that it came in: a list of pieces would take two hundred bytes for each of one byte.
 * @param expected bytes that were announced; 0 when nothing was.
 */
export async function gather(
  body: AsyncIterable<Uint8Array>,
  bytesMax: number,
  expected: number,
): Promise<Uint8Array | 'too large' | 'too many pieces'> {
  let block: Uint8Array = Buffer.allocUnsafeSlow(Math.min(bytesMax, expected || FIRST_BYTES))
  let size = 0
  let pieces = 0
  for await (const piece of body) {
    if (size + piece.byteLength > bytesMax) return 'too large'
    if (++pieces > PIECES_MAX) return 'too many pieces'
    if (size + piece.byteLength > block.byteLength) block = grown(block, size, piece.byteLength, bytesMax)
    block.set(piece, size)
    size += piece.byteLength
  }
  return block.subarray(0, size)
}

const grown = (block: Uint8Array, size: number, more: number, bytesMax: number): Uint8Array => {
  const larger = Buffer.allocUnsafeSlow(Math.min(bytesMax, Math.max(2 * block.byteLength, size + more)))
  larger.set(block.subarray(0, size))
  return larger
}
