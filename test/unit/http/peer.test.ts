import { describe, expect, test } from 'vitest'
import { isFromAnotherSite, isLoopback, limitedBy, namesThisMachine } from '../../../src/http/peer.ts'

describe('loopback', () => {
  test.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:0:0:1'])(
    '%s is this machine',
    (address) => {
      expect(isLoopback(address)).toBe(true)
    },
  )

  test.each([
    undefined,
    '',
    'localhost',
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '128.0.0.1',
    '::ffff:10.0.0.1',
    'fe80::1%eth0',
    '::2',
  ])('%s is not', (address) => {
    expect(isLoopback(address)).toBe(false)
  })
})

test.each([
  ['LOCALHOST:1', true],
  ['[::ffff:127.0.0.1]:80', true],
  ['0x7f.1', true],
  ['localhost.', false],
  ['127.0.0.1.evil.example', false],
  ['', false],
  [undefined, false],
])('Host: %s names this machine: %s', (host, expected) => {
  expect(namesThisMachine({ headers: host === undefined ? {} : { host } })).toBe(expected)
})

test('a page of the public address is of this site, whatever the proxy makes of Host', () => {
  const headers = { origin: 'https://worker.example', host: '10.0.0.3:8000' }
  expect(isFromAnotherSite({ headers }, 'https://worker.example/')).toBe(false)
  expect(isFromAnotherSite({ headers }, 'http://worker.example')).toBe(true)
})

test.each([
  ['203.0.113.9', '203.0.113.9'],
  ['::ffff:203.0.113.9', '203.0.113.9'],
  [undefined, 'unknown'],
  ['elsewhere', 'unknown'],
])('limits %s as %s', (address, expected) => {
  expect(limitedBy(address)).toBe(expected)
})
