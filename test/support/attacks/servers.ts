import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { type PictureProblem, rejected, unavailable } from '../../../src/pictures/problem.ts'
import { chunk, drips, endless, head, JPEG_TYPE, resets, type Serve, says, stalls, status } from './wire.ts'

/** A server's name, what it does, and what must come of it. */
export type ServerAttack = readonly [what: string, serve: Serve, ends: PictureProblem]

/** How long servers that never end are waited for. */
export const SLOW_MS = 700
export const TOO_LATE = unavailable(`not here after ${SLOW_MS} ms`)

const TOO_LARGE = rejected('larger than 10485760 bytes')
const lost = (code: string) => unavailable(`not reached (${code})`)
const NO_PICTURE = rejected('no picture format that is taken')
const CUT_OFF = rejected('the picture cannot be read: it ends too early')

const JPEG_START = '\xff\xd8\xff\xe0'
const jpeg = Buffer.concat([Buffer.from(JPEG_START, 'latin1'), Buffer.alloc(500)])
const ZEROS = Buffer.alloc(200_000_000)
const bomb = gzipSync(ZEROS)
const CHUNKED = 'transfer-encoding: chunked'
const METADATA = 'location: http://169.254.169.254/latest/meta-data/'

/** Servers that mean no good, or are broken. */
export const servers: readonly ServerAttack[] = [
  // Elsewhere
  [
    'redirect to the metadata service',
    says(status('302 Found', METADATA)),
    rejected('redirects are not followed (status 302)'),
  ],
  ['redirect to itself', says(status('301 Moved', 'location: ')), rejected('redirects are not followed (status 301)')],
  [
    'redirect that keeps the method',
    says(status('307 Go', METADATA)),
    rejected('redirects are not followed (status 307)'),
  ],
  ['redirect for good', says(status('308 Go', METADATA)), rejected('redirects are not followed (status 308)')],
  [
    'redirect to a file',
    says(status('303 Go', 'location: file:///etc/passwd')),
    rejected('redirects are not followed (status 303)'),
  ],
  ['several choices', says(status('300 Choose')), rejected('redirects are not followed (status 300)')],
  ['refresh by header', says(head(`refresh: 0; url=http://127.0.0.1/`), '<html>'), NO_PICTURE],
  // Statuses
  ['no content', says(status('204 Nothing', JPEG_TYPE)), rejected('answered with status 204')],
  ['a part', says(status('206 Part', JPEG_TYPE), jpeg), rejected('answered with status 206')],
  ['forbidden', says(status('403 No', JPEG_TYPE), jpeg), rejected('answered with status 403')],
  ['gone', says(status('410 Gone', JPEG_TYPE), jpeg), rejected('answered with status 410')],
  ['too many requests', says(status('429 Later', 'retry-after: 99999999')), unavailable('answered with status 429')],
  ['down', says(status('503 Down')), unavailable('answered with status 503')],
  [
    'another protocol, unasked',
    says(status('101 Switching', 'upgrade: h2c', 'connection: upgrade')),
    lost('UND_ERR_SOCKET'),
  ],
  // Lengths
  ['endless body', endless(head(), jpeg), TOO_LARGE],
  ['endless chunks', endless(head(CHUNKED), chunk('x'.repeat(4_000))), TOO_LARGE],
  ['length above the limit, and no body', stalls(head('content-length: 10485761')), TOO_LARGE],
  [
    'length beyond all numbers',
    stalls(head('content-length: 99999999999999999999')),
    lost('UND_ERR_RES_CONTENT_LENGTH_MISMATCH'),
  ],
  ['length shorter than the body', says(head('content-length: 100'), jpeg), CUT_OFF],
  ['length longer than the body', says(head('content-length: 900'), jpeg), lost('UND_ERR_SOCKET')],
  ['negative length', says(head('content-length: -1'), jpeg), lost('HTTPParserError')],
  ['length in words', says(head('content-length: many'), jpeg), lost('HTTPParserError')],
  [
    'two lengths',
    says(head('content-length: 504', 'content-length: 4'), jpeg),
    lost('UND_ERR_RES_CONTENT_LENGTH_MISMATCH'),
  ],
  [
    'length and chunks',
    says(head('content-length: 4', CHUNKED), chunk('abc')),
    lost('UND_ERR_RES_CONTENT_LENGTH_MISMATCH'),
  ],
  ['chunks without an end', stalls(head(CHUNKED), chunk('abc')), TOO_LATE],
  ['a chunk larger than all numbers', says(head(CHUNKED), `${'f'.repeat(40)}\r\n`), lost('HTTPParserError')],
  ['endless words beside a chunk', endless(head(CHUNKED), '1;words'), TOO_LATE],
  [
    'endless trailers',
    endless(`${head(CHUNKED)}0\r\n`, `a: ${'b'.repeat(1_000)}\r\n`),
    lost('UND_ERR_HEADERS_OVERFLOW'),
  ],
  ['ten million chunks of one byte', endless(head(CHUNKED), chunk('x')), TOO_LATE],
  ['no body', says(head('content-length: 0')), NO_PICTURE],
  // Compression
  ['gzip bomb', says(head('content-encoding: gzip'), bomb), TOO_LARGE],
  ['gzip bomb in gzip', says(head('content-encoding: gzip, gzip'), gzipSync(bomb)), TOO_LARGE],
  ['brotli bomb', says(head('content-encoding: br'), brotliCompressSync(ZEROS.subarray(0, 2e7))), TOO_LARGE],
  ['deflate bomb', says(head('content-encoding: deflate'), deflateSync(ZEROS)), TOO_LARGE],
  ['zstd bomb', says(head('content-encoding: zstd'), zstdCompressSync(ZEROS)), TOO_LARGE],
  ['six compressions', says(head(`content-encoding: ${'gzip, '.repeat(5)}gzip`), bomb), lost('Error')],
  [
    'compression that is none',
    says(head('content-encoding: gzip'), jpeg),
    rejected('broken compression (Z_DATA_ERROR)'),
  ],
  ['compression that ends early', says(head('content-encoding: gzip'), bomb.subarray(0, 50)), NO_PICTURE],
  ['compression that nobody knows', says(head('content-encoding: rot13'), 'WCRT'), NO_PICTURE],
  // Time
  ['silence', stalls(), TOO_LATE],
  ['half a head', stalls('HTTP/1.1 200 OK\r\ncontent-'), TOO_LATE],
  ['a head that drips', drips('HTTP/1.1 200 OK\r\n', 'a: b\r\n'), TOO_LATE],
  ['a body that drips', drips(head(), JPEG_START), TOO_LATE],
  ['early hints without end', endless('', status('103 Early Hints', 'link: </a>')), TOO_LATE],
  // Heads
  ['a header of forty kilobytes', says(head(`x: ${'y'.repeat(40_000)}`), jpeg), lost('UND_ERR_HEADERS_OVERFLOW')],
  ['headers without end', endless('HTTP/1.1 200 OK\r\n', 'a: b\r\n'), lost('UND_ERR_HEADERS_OVERFLOW')],
  ['a status line without end', endless('HTTP/1.1 200 ', 'O'), TOO_LATE],
  ['HTML', says(status('200 OK', 'content-type: text/html'), jpeg), rejected("the content type is no picture's")],
  ['no content type', says(status('200 OK'), jpeg), rejected("the content type is no picture's")],
  [
    'two content types',
    says(status('200 OK', JPEG_TYPE, 'content-type: text/html'), jpeg),
    rejected("the content type is no picture's"),
  ],
  // Connections
  ['the end at once', says(), lost('UND_ERR_SOCKET')],
  ['a reset at once', resets(), lost('ECONNRESET')],
  ['a reset in the body', resets(head('content-length: 900'), jpeg), lost('ECONNRESET')],
  ['SSH', says('SSH-2.0-OpenSSH_9.2\r\n'), lost('HTTPParserError')],
  ['Redis', says('-ERR unknown command\r\n'), lost('HTTPParserError')],
  ['HTTP/2 on a plain connection', says(Buffer.from('0000000400000000000000', 'hex')), lost('HTTPParserError')],
]
