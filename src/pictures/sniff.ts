/** Picture formats that we read. Text formats (SVG) and containers of many things (TIFF, PDF) are none of them. */
export type PictureFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'heif' | 'gif'

const AVIF_BRANDS = new Set(['avif', 'avis'])
const HEIF_BRANDS = new Set(['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'])
const HEAD_BYTES = 16

/** Which format the bytes begin as, by their magic numbers (WHATWG MIME Sniffing; ISO 23008-12 brands), or null. */
export function sniff(bytes: Uint8Array): PictureFormat | null {
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1')
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg'
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'gif'
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'webp'
  if (head.slice(4, 8) === 'ftyp') return brandFormat(head.slice(8, 12))
  return null
}

const brandFormat = (brand: string): PictureFormat | null => {
  if (AVIF_BRANDS.has(brand)) return 'avif'
  return HEIF_BRANDS.has(brand) ? 'heif' : null
}
