import { expect, test } from 'vitest'
import { ConfigError, readConfig } from '../../src/config.ts'

test('takes proxies as addresses, networks and ranges, and refuses what names none', () => {
  expect(readConfig({ TRUST_PROXY: '10.0.0.0/8, ::1, uniquelocal' }).trustedProxies).toEqual([
    '10.0.0.0/8',
    '::1',
    'uniquelocal',
  ])
  for (const TRUST_PROXY of ['true', '1.2.3.4/99', 'proxy.example', '*'])
    expect(() => readConfig({ TRUST_PROXY })).toThrow(ConfigError)
})

test('trusts no proxy and limits keys and addresses unless told', () => {
  const { trustedProxies, keyRequestsPerMinute, addressRequestsPerMinute, apiKey } = readConfig({})
  expect([trustedProxies, keyRequestsPerMinute, addressRequestsPerMinute, apiKey]).toEqual([[], 6_000, 1_200, null])
})
