import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hostRules } from '../../src/pictures/hosts.ts'
import { isPublicAddress } from '../support/public-address.ts'

const anywhere = hostRules([])
const byte = fc.integer({ min: 0, max: 255 })
const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16))

/** Where special ranges begin and end, and what lies beside them: chance alone would seldom meet them. */
const EDGES_4 =
  '0 10 100.64 100.127 127 169.254 172.16 172.31 192.0.0 192.0.2 192.88.99 192.168 198.18 198.51.100 203.0.113 224 255'
const bytes4 = fc.oneof(
  fc.tuple(byte, byte, byte, byte),
  fc.tuple(fc.constantFrom(...EDGES_4.split(' ')), byte, byte, byte).map(([edge, ...rest]) => {
    const head = edge.split('.').map(Number)
    return [...head, ...rest.slice(0, 4 - head.length)]
  }),
)
const dotted = bytes4.map((parts) => parts.join('.'))
const EDGES_6 =
  ':: ::ffff: ::ffff:0: 64:ff9b:: 64:ff9b:1:: 100:: 2000:: 2001:: 2001:db8:: 2002:7f00:1:: 2606:4700:: 3fff:: 4000:: fc00:: fe80:: ff02::'
const address6 = fc.oneof(
  fc.tuple(group, group, group, group, group, group, group, group).map((groups) => groups.join(':')),
  fc.tuple(fc.constantFrom(...EDGES_6.split(' ')), fc.oneof(dotted, group)).map((parts) => parts.join('')),
)

/** One number of an address in each way that a URL takes it. */
const number = (value: number) =>
  fc.constantFrom(
    `${value}`,
    `0x${value.toString(16)}`,
    `0X${value.toString(16).toUpperCase()}`,
    `0${value.toString(8)}`,
    `0x000${value.toString(16)}`,
  )
/** An IPv4 address in four, three, two parts or one. */
const spelled4 = fc.tuple(bytes4, fc.integer({ min: 1, max: 4 })).chain(([parts, count]) => {
  const head = parts.slice(0, count - 1)
  const rest = parts.slice(count - 1).reduce((sum, part) => sum * 256 + part, 0)
  return fc.tuple(...[...head, rest].map(number)).map((numbers) => numbers.join('.'))
})
const fullWidth = (text: string) =>
  text.replaceAll(/[!-~]/g, (sign) => String.fromCodePoint((sign.codePointAt(0) ?? 0) + 0xfee0))
const disguise = fc.constantFrom<(host: string) => string>(
  (host) => host,
  (host) => `${host}.`,
  fullWidth,
  (host) => host.replaceAll('.', '。'),
  (host) => host.replaceAll(/\d/g, (digit) => `%3${digit}`),
  (host) => host.replaceAll(/\d/g, (digit) => String.fromCodePoint(0x1d7ce + Number(digit))),
  (host) => `${host.slice(0, 1)}\t${host.slice(1)}`,
)
const host = fc.oneof(
  fc.tuple(spelled4, disguise).map(([address, dress]) => dress(address)),
  address6.map((address) => `[${address}]`),
  fc.domain(),
  fc.string({ maxLength: 12 }),
)
const around = (...texts: string[]) => fc.constantFrom('', '', '', ...texts)
const url = fc
  .tuple(
    fc.constantFrom('http', 'http', 'http', 'https', 'https', 'HTTP', 'ftp', 'file', 'gopher', 'data', 'ws'),
    fc.constantFrom('://', '://', '://', ':/', ':', ':///', ':\\\\', '://\\'),
    around('a@', 'a:b@', 'example.com@', 'example.com\\@', 'example.com#@', '@'),
    host,
    around(':80', ':0', ':65535', ':08000', ':99999', ':'),
    around('/', '/a.jpg', '?@8.8.8.8', '#@8.8.8.8', '\\@8.8.8.8', '/..//'),
  )
  .map((parts) => parts.join(''))

describe('the rules for picture addresses, fuzzed', () => {
  test('allow no URL whose host is an address that is not public', () => {
    let addresses = 0
    fc.assert(
      fc.property(url, (text) => {
        const parsed = URL.parse(text)
        if (parsed === null || anywhere.refusesUrl(parsed) !== null) return
        expect(['http:', 'https:']).toContain(parsed.protocol)
        expect(parsed.username + parsed.password).toBe('')
        const asked = parsed.hostname.replace(/^\[|\]$/g, '')
        if (isIP(asked) === 0) return
        addresses++
        expect(isPublicAddress(asked)).toBe(true)
      }),
      { numRuns: 5_000 },
    )
    expect(addresses).toBeGreaterThan(100)
  })

  test('agree with the registries about every address, whatever leads to it', () => {
    fc.assert(
      fc.property(fc.oneof(dotted, address6), fc.constantFrom('cdn.example.com', 'minio'), (address, name) => {
        const isPublic = isPublicAddress(address)
        // The rules may be stricter than the registries (relays, drones), never laxer.
        const byName = hostRules(['cdn.example.com']).refusesAddress('cdn.example.com', address)
        expect(isPublic || (anywhere.refusesAddress(name, address) !== null && byName !== null)).toBe(true)
      }),
      { numRuns: 5_000 },
    )
  })

  test('allow the public ones', () => {
    fc.assert(
      fc.property(fc.tuple(fc.integer({ min: 11, max: 99 }), byte, byte, byte), (parts) => {
        expect(anywhere.refusesAddress('cdn.example.com', parts.join('.'))).toBeNull()
      }),
    )
  })

  test('only an allowed host is asked, whatever surrounds its name', () => {
    const rules = hostRules(['cdn.example.com:443'])
    fc.assert(
      fc.property(url, fc.constantFrom('cdn.example.com', 'CDN.example.com.', ''), (text, name) => {
        const parsed = URL.parse(name === '' ? text : text.replace('example.com', name))
        if (parsed === null || rules.refusesUrl(parsed) !== null) return
        expect(parsed.host.replace(/\.$/, '')).toBe('cdn.example.com')
      }),
      { numRuns: 3_000 },
    )
  })
})
