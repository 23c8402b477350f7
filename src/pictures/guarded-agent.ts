import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { callbackify } from 'node:util'
import { Agent } from 'undici'
import type { HostRules } from './hosts.ts'

const HEADER_BYTES_MAX = 16 * 1024

/** Every address of a host name, as `dns.lookup` finds them. */
export type ResolveHost = (host: string) => Promise<readonly LookupAddress[]>

/** A name leads to an address that the rules refuse; the message is fit for operators. */
export class RefusedAddress extends Error {}

/**
 * Checks every address of a name and hands on just these, so that the connection goes to what was checked. Names only: an
 * address in the URL itself is connected to without a lookup, so the URL must have been checked before.
 */
export function guardedAgent(rules: HostRules, resolve: ResolveHost = resolveBySystem): Agent {
  const guarded = callbackify(async (host: string): Promise<LookupAddress[]> => {
    const addresses = await resolve(host)
    const refused = addresses.map(({ address }) => rules.refusesAddress(host.replace(/\.$/, ''), address))
    const reason = refused.find((each) => each !== null)
    if (reason !== undefined) throw new RefusedAddress(reason)
    return [...addresses]
  })
  return new Agent({
    // No connection outlives its answer: the next fetch resolves and checks again.
    pipelining: 0,
    maxHeaderSize: HEADER_BYTES_MAX,
    // The limits above and below are those of HTTP/1.1.
    allowH2: false,
    connect: {
      lookup: (host, { all }, done) =>
        guarded(host, (error, found) => {
          if (error !== null) done(error, [])
          else if (all) done(null, found)
          else done(null, found[0]?.address ?? '', found[0]?.family)
        }),
    },
  })
}

const resolveBySystem: ResolveHost = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)))
  })
