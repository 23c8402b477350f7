import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { type PictureProblem, rejected } from '../../../src/pictures/problem.ts'

/** A picture's name, its bytes, and what must come of it. */
export type PictureAttack = readonly [what: string, bytes: Uint8Array | string, ends: PictureProblem | 'prepared']

const PIXELS = rejected('the picture cannot be read: more than 100000000 pixels')
const MEMORY = rejected('reading it would take more than 536870912 bytes')
const DAMAGED = rejected('the picture cannot be read: it is damaged')
const CUT_OFF = rejected('the picture cannot be read: it ends too early')
const NO_PICTURE = rejected('no picture format that is taken')

const ENTITIES =
  '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg"><text>&a;</text></svg>'
const LAUGHS = `<!DOCTYPE svg [<!ENTITY a "ha">${'bcdefghij'.replaceAll(/./g, (name) => `<!ENTITY ${name} "${`&${String.fromCharCode(name.charCodeAt(0) - 1)};`.repeat(10)}">`)}]><svg>&j;</svg>`

/** A PNG of these chunks after its header. */
const png = (
  width: number,
  height: number,
  bits: number,
  colour: number,
  interlaced: number,
  ...chunks: [string, Buffer][]
) => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([bits, colour, 0, 0, interlaced], 8)
  const all: [string, Buffer][] = [['IHDR', header], ...chunks, ['IEND', Buffer.alloc(0)]]
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...all.map(([type, data]) => pngChunk(type, data))])
}
const pngChunk = (type: string, data: Buffer): Buffer => {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const chunk = Buffer.alloc(named.length + 8)
  chunk.writeUInt32BE(data.length, 0)
  chunk.set(named, 4)
  chunk.writeUInt32BE(crc32(named), named.length + 4)
  return chunk
}
const patched = (bytes: Buffer, at: number, patch: readonly number[]): Buffer => {
  const copy = Buffer.from(bytes)
  copy.set(patch, at)
  return copy
}
const sides16 = (first: number, second: number) => [first & 255, first >> 8, second & 255, second >> 8]

/** The pictures, made anew: some of them are twenty bytes that claim to be gigabytes. */
export const pictures = async (): Promise<readonly PictureAttack[]> => {
  const small = sharp({
    create: {
      width: 64,
      height: 48,
      channels: 3,
      background: '#c03060',
      noise: { type: 'gaussian', mean: 120, sigma: 40 },
    },
  })
  const jpeg = await small.clone().jpeg().toBuffer()
  const progressive = await small.clone().jpeg({ progressive: true }).toBuffer()
  const flat = sharp({ create: { width: 10, height: 10, channels: 4, background: '#c03060' } })
  const webp = await flat.clone().webp({ lossless: true }).toBuffer()
  const gif = await flat.clone().gif().toBuffer()
  const avif = await small.clone().avif({ effort: 0 }).toBuffer()
  const tiff = await flat.clone().tiff().toBuffer()
  const frames = gif.subarray(gif.indexOf(Buffer.from('21f9', 'hex')), -1)
  const zeros = Buffer.alloc(100_000_000)
  const row: [string, Buffer] = ['IDAT', deflateSync(Buffer.alloc(31 * 10))]
  const gifOf = (side: number) =>
    patched(patched(gif, 6, sides16(side, side)), gif.indexOf(',') + 5, sides16(side, side))
  const sized = (bytes: Buffer, marker: string, at: number, patch: readonly number[]) =>
    patched(bytes, bytes.indexOf(Buffer.from(marker, 'latin1')) + at, patch)
  return [
    ['HTML', '<!doctype html><script>alert(1)</script>', NO_PICTURE],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>', NO_PICTURE],
    ['SVG with an entity that reads a file', ENTITIES, NO_PICTURE],
    ['SVG with entities that multiply', LAUGHS, NO_PICTURE],
    ['SVG behind a mark of byte order', `\ufeff${ENTITIES}`, NO_PICTURE],
    ['TIFF', tiff, NO_PICTURE],
    ['PDF', '%PDF-1.7\n1 0 obj', NO_PICTURE],
    ['video', Buffer.from('0000001c6674797069736f6d0000020069736f6d', 'hex'), NO_PICTURE],
    ['a picture behind a newline', Buffer.concat([Buffer.from('\n'), jpeg]), NO_PICTURE],
    ['no bytes', '', NO_PICTURE],
    ['a JPEG of three bytes', Buffer.from('ffd8ff', 'hex'), CUT_OFF],
    ['a JPEG that ends in its middle', jpeg.subarray(0, jpeg.length / 2), CUT_OFF],
    ['a PNG that ends in its middle', png(64, 48, 8, 2, 0, ['IDAT', deflateSync(Buffer.alloc(2_000))]), DAMAGED],
    ['a GIF of six bytes', 'GIF89a', DAMAGED],
    ['a WebP of a head', Buffer.from('524946460400000057454250', 'hex'), DAMAGED],
    ['an AVIF of a head', avif.subarray(0, 40), DAMAGED],
    ['a PNG with a false sum', patched(png(10, 10, 8, 2, 0, row), 40, [1, 2, 3]), DAMAGED],
    [
      'a PNG of 400 megapixels in 50 kB',
      png(20_000, 20_000, 1, 0, 0, ['IDAT', deflateSync(Buffer.alloc(2_501 * 20_000))]),
      PIXELS,
    ],
    ['a PNG of 4 gigapixels a side', png(0x7fffffff, 0x7fffffff, 8, 6, 0, row), DAMAGED],
    ['a JPEG of 4 gigapixels', sized(jpeg, '\xff\xc0', 5, [0xff, 0xdc, 0xff, 0xdc]), PIXELS],
    ['a WebP of 144 megapixels in 40 bytes', patched(webp, 21, [0xdf, 0xee, 0xb7, 0x1b]), PIXELS],
    ['a GIF of 400 megapixels in 50 bytes', gifOf(20_000), PIXELS],
    ['an AVIF of 400 megapixels', sized(avif, 'ispe', 8, [0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]), PIXELS],
    ['an AVIF of 81 megapixels', sized(avif, 'ispe', 8, [0, 0, 0x23, 0x28, 0, 0, 0x23, 0x28]), MEMORY],
    ['a progressive JPEG of 98 megapixels', sized(progressive, '\xff\xc2', 5, [0x26, 0xac, 0x26, 0xac]), MEMORY],
    ['an interlaced PNG of 81 megapixels', png(9_000, 9_000, 16, 6, 1, row), MEMORY],
    ['a GIF of 81 megapixels in 50 bytes', gifOf(9_000), 'prepared'],
    [
      'a PNG whose profile is a bomb',
      png(10, 10, 8, 2, 0, ['iCCP', Buffer.concat([Buffer.from('a\0\0'), deflateSync(zeros)])], row),
      'prepared',
    ],
    [
      'a PNG whose text is a bomb',
      png(10, 10, 8, 2, 0, ['zTXt', Buffer.concat([Buffer.from('a\0\0'), deflateSync(zeros)])], row),
      'prepared',
    ],
    ['a PNG whose pixels are too many', png(10, 10, 8, 2, 0, ['IDAT', deflateSync(zeros)]), 'prepared'],
    [
      'a GIF of twenty thousand frames',
      Buffer.concat([gif.subarray(0, -1), ...Array.from({ length: 20_000 }, () => frames), Buffer.from(';')]),
      'prepared',
    ],
    [
      'a GIF that is a script',
      Buffer.concat([patched(gif, 6, sides16(0x2a2f, 10)), Buffer.from('*/=1;alert(1)')]),
      'prepared',
    ],
    [
      'a JPEG that is an archive',
      Buffer.concat([jpeg, Buffer.from('PK\x03\x04<script>alert(1)</script>')]),
      'prepared',
    ],
    [
      'a PNG with a page in it',
      png(10, 10, 8, 2, 0, ['tEXt', Buffer.from('a\0<script>alert(1)</script>')], row),
      'prepared',
    ],
    ['a PNG of one row', png(50_000, 1, 8, 0, 0, ['IDAT', deflateSync(Buffer.alloc(50_001))]), 'prepared'],
  ]
}
