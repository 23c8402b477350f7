/** Reversed, as RFC 3720 (B.4) has it. */
const POLYNOMIAL = 0x82f63b78
/** Bytes that are taken at once (Intel's slicing-by-8, Kounavis and Berry 2005). */
const SLICES = 8

/** For each slice and byte what it leaves behind. */
const TABLE = ((): Int32Array => {
  const table = new Int32Array(SLICES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let rest = byte
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? POLYNOMIAL : 0)
    table[byte] = rest
  }
  for (let at = 256; at < table.length; at++) {
    const before = table[at - 256] ?? 0
    table[at] = (before >>> 8) ^ (table[before & 0xff] ?? 0)
  }
  return table
})()

/** CRC-32C (Castagnoli), by which brokers check record batches. */
export const crc32c = (bytes: Buffer): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const whole = bytes.byteLength - (bytes.byteLength % SLICES)
  let crc = -1
  let at = 0
  for (; at < whole; at += SLICES) {
    const low = crc ^ view.getInt32(at, true)
    const high = view.getInt32(at + 4, true)
    crc =
      slice(7, low) ^
      slice(6, low >>> 8) ^
      slice(5, low >>> 16) ^
      slice(4, low >>> 24) ^
      slice(3, high) ^
      slice(2, high >>> 8) ^
      slice(1, high >>> 16) ^
      slice(0, high >>> 24)
  }
  for (; at < bytes.byteLength; at++) crc = (crc >>> 8) ^ slice(0, crc ^ view.getUint8(at))
  return ~crc
}

const slice = (index: number, bits: number): number => TABLE[index * 256 + (bits & 0xff)] ?? 0
