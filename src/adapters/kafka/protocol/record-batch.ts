import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { ByteReader, type ByteWriter, varintBytes } from './bytes.ts'
import { crc32c } from './crc32c.ts'

/** A record to be written. */
export interface NewRecord {
  readonly key?: string
  readonly value: Uint8Array | null
  readonly headers?: Readonly<Record<string, string>>
}

/** A record as it was read. */
export interface WireRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
  /** As its producer or the broker set it, ms since the epoch. */
  readonly timestamp: number
}

/** Who writes, so that a broker takes a batch once, however often it is sent. */
export interface Sequence {
  readonly producerId: number
  readonly epoch: number
  /** Of the batch's first record, counted for each partition. */
  readonly first: number
}

const MAGIC = 2
/** Offset, length, leader's epoch, magic and checksum: what stands before the bytes that are checked. */
const CHECKED_FROM = 21
/** From the leader's epoch on: what the length leaves out is the offset and itself. */
const LENGTH_FROM = 12

/** Writes records as one batch, which a broker takes whole or not at all. */
export const writeBatch = (to: ByteWriter, records: readonly NewRecord[], sequence: Sequence, now: number): void => {
  const start = to.position
  to.int64(0).int32(0).int32(0).int8(MAGIC).int32(0)
  to.int16(0)
    .int32(records.length - 1)
    .int64(now)
    .int64(now)
  to.int64(sequence.producerId).int16(sequence.epoch).int32(sequence.first)
  to.int32(records.length)
  for (const [delta, record] of records.entries()) writeRecord(to, delta, record)
  to.setInt32(start + 8, to.position - start - LENGTH_FROM)
  to.setInt32(start + CHECKED_FROM - 4, crc32c(to.written.subarray(start + CHECKED_FROM)))
}

/** Attributes and the time's difference, which are always zero. */
const FIXED_BYTES = 2

const writeRecord = (to: ByteWriter, delta: number, { key, value, headers = {} }: NewRecord): void => {
  const names = Object.entries(headers)
  const sized = [key, ...names.flat()]
  const sizes = sized.map((text) => (text === undefined ? -1 : Buffer.byteLength(text)))
  const valueBytes = value?.byteLength ?? -1
  const texts = sizes.reduce((sum, bytes) => sum + varintBytes(bytes) + Math.max(bytes, 0), 0)
  const body = texts + varintBytes(valueBytes) + Math.max(valueBytes, 0)
  to.varint(FIXED_BYTES + varintBytes(delta) + varintBytes(names.length) + body)
  to.int8(0).varint(0).varint(delta)
  to.varint(sizes[0] ?? -1)
  if (key !== undefined) to.text(key)
  to.varint(valueBytes)
  if (value !== null) to.bytes(value)
  to.varint(names.length)
  for (let index = 1; index < sized.length; index++) to.varint(sizes[index] ?? 0).text(sized[index] ?? '')
}

/**
 * The records of whole batches, none before an offset. The last batch may be cut off: it is left out.
 * @throws for a compression that this program does not know.
 */
export const readBatches = (bytes: Buffer, from: number): WireRecord[] => {
  const records: WireRecord[] = []
  const batches = new ByteReader(bytes)
  while (batches.left > LENGTH_FROM) {
    const first = batches.int64()
    const length = batches.int32()
    if (length > batches.left) break
    readBatch(batches.bytes(length), first, from, records)
  }
  return records
}

const readBatch = (bytes: Buffer, first: number, from: number, records: WireRecord[]): void => {
  const batch = new ByteReader(bytes)
  batch.int32()
  const magic = batch.int8()
  if (magic !== MAGIC) throw new Error(`the broker keeps records in format ${magic}, and this program reads ${MAGIC}`)
  batch.int32()
  const attributes = batch.int16()
  const last = first + batch.int32()
  const [firstTime, lastTime] = [batch.int64(), batch.int64()]
  batch.bytes(SEQUENCE_BYTES)
  const count = batch.int32()
  if (last < from) return
  const time = (attributes & APPEND_TIME) === 0 ? null : lastTime
  const body = new ByteReader(decompressed(attributes & COMPRESSION, batch.bytes(batch.left)))
  for (let index = 0; index < count; index++) {
    const record = readRecord(body, first, firstTime, time)
    if (record.offset >= from) records.push(record)
  }
}

const SEQUENCE_BYTES = 14
const COMPRESSION = 0b111
const APPEND_TIME = 0b1000

const readRecord = (from: ByteReader, first: number, firstTime: number, time: number | null): WireRecord => {
  from.varint()
  from.int8()
  const timestamp = firstTime + from.varint()
  const offset = first + from.varint()
  const key = from.varbytes()?.toString() ?? null
  const value = from.varbytes() ?? NOTHING
  const headers: [name: string, value: string][] = []
  for (let count = from.varint(); count > 0; count--)
    headers.push([from.text(from.varint()), from.text(Math.max(from.varint(), 0))])
  // A header may have any name, `__proto__` too: as entries all become properties of their own.
  return { offset, key, value, headers: Object.fromEntries(headers), timestamp: time ?? timestamp }
}

const NOTHING = Buffer.alloc(0)

/** As large as a broker takes them, many times over. */
const DECOMPRESSED_BYTES_MAX = 256 * 1024 * 1024

/** We write none compressed; others may. */
const decompressed = (compression: number, bytes: Buffer): Buffer => {
  const limit = { maxOutputLength: DECOMPRESSED_BYTES_MAX }
  switch (compression) {
    case 0:
      return bytes
    case 1:
      return gunzipSync(bytes, limit)
    case 4:
      return zstdDecompressSync(bytes, limit)
    default:
      throw new Error(
        `records are compressed with codec ${compression}, which this program does not read: use gzip or zstd`,
      )
  }
}
