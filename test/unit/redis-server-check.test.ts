import { describe, expect, it } from 'vitest'
import { refuseServer, serverFacts, serverWarnings, UnfitServer } from '../../src/adapters/redis/server-check.ts'

const good = {
  redis_version: '7.0.15',
  role: 'master',
  aof_enabled: '1',
  maxmemory: '0',
  maxmemory_policy: 'noeviction',
  cluster_enabled: '0',
}

const facts = (changes: Record<string, string> = {}) =>
  serverFacts(
    ['# Server', ...Object.entries({ ...good, ...changes }).map(([name, value]) => `${name}:${value}`)].join('\r\n'),
  )

describe('a Redis server', () => {
  it('is fit without a word when nothing can be lost', () => {
    expect(() => refuseServer(facts())).not.toThrow()
    expect(serverWarnings(facts())).toEqual([])
  })

  it.each([{ redis_version: '6.0.20' }, { role: 'slave' }, { maxmemory: '1000000', maxmemory_policy: 'allkeys-lru' }])(
    'is refused with %o',
    (changes) => {
      expect(() => refuseServer(facts(changes))).toThrow(UnfitServer)
    },
  )

  it('is warned of when a crash would lose sessions or a full memory may drop keys', () => {
    expect(serverWarnings(facts({ aof_enabled: '0' }))).toEqual([expect.stringContaining('append-only')])
    const volatile = facts({ maxmemory: '1000000', maxmemory_policy: 'volatile-lru' })
    expect(() => refuseServer(volatile)).not.toThrow()
    expect(serverWarnings(volatile)).toEqual([expect.stringContaining('noeviction')])
  })

  it('may keep to itself what hosted servers do not tell', () => {
    const silent = serverFacts('')
    expect(() => refuseServer(silent)).not.toThrow()
    expect(serverWarnings(silent)).toHaveLength(1)
  })
})
