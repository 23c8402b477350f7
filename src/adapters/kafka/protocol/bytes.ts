const FIRST_BYTES = 1024
const HIGH = 2 ** 32

/** Writes Kafka's protocol: big-endian numbers, and variable ones in zigzag. */
export class ByteWriter {
  #bytes: Buffer
  #at = 0

  constructor(bytes = FIRST_BYTES) {
    this.#bytes = Buffer.allocUnsafe(bytes)
  }

  get position(): number {
    return this.#at
  }

  /** What was written; it shares the writer's memory. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  int8(value: number): this {
    this.#at = this.#room(1).writeInt8(value, this.#at)
    return this
  }

  int16(value: number): this {
    this.#at = this.#room(2).writeInt16BE(value, this.#at)
    return this
  }

  int32(value: number): this {
    this.#at = this.#room(4).writeInt32BE(value, this.#at)
    return this
  }

  /** Up to what a number holds exactly. */
  int64(value: number): this {
    const bytes = this.#room(8)
    bytes.writeInt32BE(Math.floor(value / HIGH), this.#at)
    this.#at = bytes.writeUInt32BE(value >>> 0, this.#at + 4)
    return this
  }

  bytes(value: Uint8Array): this {
    this.#room(value.byteLength).set(value, this.#at)
    this.#at += value.byteLength
    return this
  }

  /** With its length before it. */
  string(value: string | null): this {
    if (value === null) return this.int16(-1)
    this.int16(Buffer.byteLength(value))
    return this.text(value)
  }

  /** UTF-8 alone. */
  text(value: string): this {
    const bytes = this.#room(value.length * 3)
    this.#at += bytes.write(value, this.#at)
    return this
  }

  varint(value: number): this {
    const bytes = this.#room(5)
    let rest = zigzag(value)
    for (; rest > 0x7f; rest >>>= 7) bytes[this.#at++] = (rest & 0x7f) | 0x80
    bytes[this.#at++] = rest
    return this
  }

  /** Puts a number where an earlier one stands. */
  setInt32(position: number, value: number): void {
    this.#bytes.writeInt32BE(value | 0, position)
  }

  #room(bytes: number): Buffer {
    const needed = this.#at + bytes
    if (needed <= this.#bytes.byteLength) return this.#bytes
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.byteLength * 2))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
    return larger
  }
}

const zigzag = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0

/** How many bytes a variable number takes. */
export const varintBytes = (value: number): number => {
  const bits = 32 - Math.clz32(zigzag(value))
  return Math.max(Math.ceil(bits / 7), 1)
}

/** Reads what a broker wrote. @throws RangeError behind the end. */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.byteLength - this.#at
  }

  int8(): number {
    return this.#bytes.readInt8(this.#skip(1))
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#skip(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#skip(4))
  }

  int64(): number {
    const at = this.#skip(8)
    return this.#bytes.readInt32BE(at) * HIGH + this.#bytes.readUInt32BE(at + 4)
  }

  /** A part of the same memory. */
  bytes(length: number): Buffer {
    const at = this.#skip(length)
    return this.#bytes.subarray(at, at + length)
  }

  /** With its length before it; a missing one is empty. */
  string(): string {
    return this.text(Math.max(this.int16(), 0))
  }

  /** UTF-8 of so many bytes. */
  text(length: number): string {
    const at = this.#skip(length)
    return this.#bytes.toString('utf8', at, at + length)
  }

  /** Also a long one, up to what a number holds exactly. */
  varint(): number {
    let value = 0
    for (let place = 1; ; place *= 0x80) {
      const byte = this.#bytes.readUInt8(this.#skip(1))
      value += (byte & 0x7f) * place
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
  }

  /** Bytes with a variable length before them; null when it is negative. */
  varbytes(): Buffer | null {
    const length = this.varint()
    return length < 0 ? null : this.bytes(length)
  }

  #skip(bytes: number): number {
    const at = this.#at
    if (bytes < 0 || at + bytes > this.#bytes.byteLength) throw new RangeError('the answer ends too early')
    this.#at = at + bytes
    return at
  }
}
