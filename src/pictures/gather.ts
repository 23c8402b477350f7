/** What a body without a stated length begins with; it grows by doubling. */
const FIRST_BYTES = 64 * 1024

/**
 * A body in one block, or null as soon as it is longer than `bytesMax`. Whatever pieces it comes in, no more memory is taken than
 * its bytes: a list of pieces would be held twice while they are joined, and a piece of one byte takes two hundred.
 * @param expected bytes that were announced; 0 when nothing was.
 */
export async function gather(
  body: AsyncIterable<Uint8Array>,
  bytesMax: number,
  expected: number,
): Promise<Uint8Array | null> {
  let block: Uint8Array = Buffer.allocUnsafeSlow(Math.min(bytesMax, expected || FIRST_BYTES))
  let size = 0
  for await (const piece of body) {
    if (size + piece.byteLength > bytesMax) return null
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
