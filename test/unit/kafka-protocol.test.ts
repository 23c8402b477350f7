import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter, varintBytes } from '../../src/adapters/kafka/protocol/bytes.ts'
import { crc32c } from '../../src/adapters/kafka/protocol/crc32c.ts'
import { fetchQuestion } from '../../src/adapters/kafka/protocol/fetch.ts'
import { readBatches, writeBatch } from '../../src/adapters/kafka/protocol/record-batch.ts'

const NOW = Date.UTC(2026, 5, 1)
const SEQUENCE = { producerId: 2 ** 40 + 5, epoch: 3, first: 17 }

const text = fc.string({ unit: 'grapheme', maxLength: 200 })
const records = fc.array(
  fc.record(
    {
      key: text,
      value: fc.option(fc.uint8Array({ maxLength: 300 })),
      headers: fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), text, {
        noNullPrototype: true,
        maxKeys: 5,
      }),
    },
    { requiredKeys: ['value'] },
  ),
  { minLength: 1, maxLength: 200 },
)

const batchOf = (of: Parameters<typeof writeBatch>[1]): Buffer => {
  const to = new ByteWriter(16)
  writeBatch(to, of, SEQUENCE, NOW)
  return to.written
}

/** As kafkajs reads what a broker answers. */
const kafkajs = createRequire(import.meta.url)
const Decoder = kafkajs('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object
const decode = kafkajs('kafkajs/src/protocol/recordBatch/v0/decoder') as (decoder: object) => Promise<{
  records: { key: Buffer | null; value: Buffer | null; headers: Record<string, Buffer>; timestamp: string }[]
}>

describe('a batch of records', () => {
  it('is read as it was written, by us and by kafkajs', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (of) => {
        const bytes = batchOf(of)
        const ours = readBatches(bytes, 0)
        expect(ours).toEqual(
          of.map(({ key, value, headers = {} }, offset) => ({
            offset,
            key: key ?? null,
            value: Buffer.from(value ?? []),
            headers,
            timestamp: NOW,
          })),
        )
        const theirs = (await decode(new Decoder(bytes))).records
        expect(theirs.map(({ key, value }) => [key?.toString() ?? null, value ?? null])).toEqual(
          of.map(({ key, value }) => [key ?? null, value === null ? null : Buffer.from(value)]),
        )
      }),
      { examples: [[[{ value: null, headers: { ['__proto__']: '' } }]]] },
    )
  })

  it('is cut to what lies at or behind an offset, and left out when its end is missing', () => {
    const bytes = batchOf(['a', 'b', 'c'].map((value) => ({ value: Buffer.from(value) })))
    expect(readBatches(bytes, 1).map(({ offset }) => offset)).toEqual([1, 2])
    expect(readBatches(Buffer.concat([bytes, bytes.subarray(0, 40)]), 0)).toHaveLength(3)
    expect(readBatches(bytes.subarray(0, -1), 0)).toEqual([])
  })

  it('may be compressed by others', () => {
    const plain = batchOf([{ value: Buffer.from('a') }, { value: Buffer.from('b') }])
    const zipped = Buffer.concat([plain.subarray(0, RECORDS_AT), gzipSync(plain.subarray(RECORDS_AT))])
    zipped.writeInt32BE(zipped.byteLength - 12, 8)
    zipped.writeInt16BE(1, 21)
    expect(readBatches(zipped, 0)).toEqual(readBatches(plain, 0))
    zipped.writeInt16BE(2, 21)
    expect(() => readBatches(zipped, 0)).toThrow('codec 2')
  })
})

/** Behind the count of the records. */
const RECORDS_AT = 61

describe("Kafka's numbers", () => {
  it('are checked by the CRC of RFC 3720', () => {
    expect(crc32c(Buffer.from('123456789')) >>> 0).toBe(0xe3069283)
    expect(crc32c(Buffer.alloc(32)) >>> 0).toBe(0x8a9136aa)
  })

  it('are read as they were written, whatever their length', () => {
    fc.assert(
      fc.property(fc.integer(), fc.maxSafeInteger(), (short, long) => {
        const to = new ByteWriter().varint(short).int64(long)
        expect(to.position).toBe(varintBytes(short) + 8)
        const from = new ByteReader(to.written)
        expect([from.varint(), from.int64(), from.left]).toEqual([short, long, 0])
      }),
    )
  })
})

describe('the answer to a fetch', () => {
  it('tells the partitions that were refused from those that were not', () => {
    const places = [0, 1].map((partition) => ({ topic: 'a', partition, offset: 0 }))
    const batch = batchOf([{ value: Buffer.from('x') }])
    const answer = new ByteWriter().int32(0).int16(0).int32(0).int32(1).string('a').int32(2)
    answer.int32(0).int16(1).int64(-1).int64(-1).int64(-1).int32(-1).int32(-1)
    answer.int32(1).int16(0).int64(1).int64(1).int64(0).int32(-1).int32(batch.byteLength).bytes(batch)
    const { slices, refused } = fetchQuestion(places, { waitMs: 0, bytes: 1 }).read(
      new ByteReader(answer.written),
    ).answer
    expect(refused).toMatchObject([{ partition: 0, error: { type: 'OFFSET_OUT_OF_RANGE' } }])
    expect(slices).toMatchObject([{ partition: 1, end: 1, records: [{ offset: 0, value: Buffer.from('x') }] }])
  })
})
