import ipaddr from 'ipaddr.js'

/** Where pictures may come from: `host` or `host:port` each. Without any, every public address may be asked. */
export interface HostRules {
  /** Why this URL may not be asked, before any name is resolved; null when it may. */
  refusesUrl(url: URL): string | null
  /** Why this address, which the host name was resolved to, may not be connected to; null when it may. */
  refusesAddress(host: string, address: string): string | null
}

interface NamedHost {
  readonly host: string
  readonly port: string | null
}

/** Rules from the entries of IMAGE_HOSTS. @throws Error naming the entry that is neither `host` nor `host:port`. */
export function hostRules(entries: readonly string[]): HostRules {
  const named = entries.map(parseEntry)
  const isNamed = (host: string) => named.some((entry) => entry.host === host)
  const refusesAddress = (host: string, address: string): string | null => {
    if (isPublic(address) || isNamed(address)) return null
    // A name of the operator's own network may lead into it; a public name that does so was rebound by its owner.
    if (isNamed(host) && isLocalName(host) && !handsOutCredentials(address)) return null
    return 'the address is not public'
  }
  return {
    refusesAddress,
    refusesUrl(url) {
      if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'the address is not http or https'
      if (url.username !== '' || url.password !== '') return 'the address carries credentials'
      const host = bareHost(url)
      if (
        named.length > 0 &&
        !named.some((entry) => entry.host === host && (entry.port ?? portOf(url)) === portOf(url))
      )
        return 'the host is not among IMAGE_HOSTS'
      return ipaddr.isValid(host) ? refusesAddress(host, host) : null
    },
  }
}

/** The host of a URL as names and addresses are compared: no brackets, no final dot. */
const bareHost = (url: URL): string => bareAddress(url.hostname.replace(/\.$/, ''))

const bareAddress = (host: string): string => host.replace(/^\[(.*)\]$/, '$1')

const portOf = (url: URL): string => url.port || (url.protocol === 'https:' ? '443' : '80')

/** The only IPv6 block that is handed out for the public (RFC 4291, IANA); all but its special ranges. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3')

function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address) || handsOutCredentials(address)) return false
  const parsed = ipaddr.parse(address)
  if (parsed.range() !== 'unicast') return false
  return !(parsed instanceof ipaddr.IPv6) || parsed.match(GLOBAL_UNICAST)
}

/**
 * Metadata services of clouds outside of the link-local range: AWS, AWS pods, Google, Alibaba, Oracle, and Azure's, which lies at
 * an address that looks public.
 */
const METADATA_SERVICES = new Set([
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
])

/** Where clouds keep the credentials of the machine. */
const handsOutCredentials = (address: string): boolean => {
  if (!ipaddr.isValid(address)) return true
  const parsed = ipaddr.process(address)
  return parsed.range() === 'linkLocal' || METADATA_SERVICES.has(parsed.toString())
}

/** Names that no public registry can hand out (RFC 6761, 6762, ICANN's `internal`, and names without a dot). */
const isLocalName = (host: string): boolean => /^[^.:]+$|\.(?:localhost|local|internal|test|home\.arpa)$/.test(host)

function parseEntry(entry: string): NamedHost {
  const bracketed = ipaddr.IPv6.isValid(entry) ? `[${entry}]` : entry
  const match = /^(?<host>\[[^\]]+\]|[^:/?#@\s]+)(?::(?<port>\d{1,5}))?$/.exec(bracketed.trim())
  const url = match?.groups?.['host'] === undefined ? null : URL.parse(`http://${match.groups['host']}/`)
  const port = match?.groups?.['port'] ?? null
  if (url === null || Number(port) > 65_535) throw new Error(`"${entry}" is neither host nor host:port`)
  return { host: bareHost(url), port }
}
