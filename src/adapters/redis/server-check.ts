/** What a server says about itself, as far as it matters to a log; null where it does not say. */
export interface ServerFacts {
  /** Major and minor version. */
  readonly version: readonly [number, number] | null
  readonly isCluster: boolean
  readonly isReplica: boolean
  readonly appendOnly: boolean | null
  /** 0: no limit. */
  readonly maxMemoryBytes: number | null
  readonly evictionPolicy: string | null
}

/** The server would lose or refuse what a log needs. */
export class UnfitServer extends Error {
  override readonly name = 'UnfitServer'
}

/** XTRIM MINID, exclusive ranges and LMOVE came with it. */
const VERSION_MIN = [6, 2] as const

/** Reads the answer of INFO. Hosted servers leave parts of it out. */
export const serverFacts = (info: string): ServerFacts => {
  const lines = new Map(
    info.split('\r\n').flatMap((line): [string, string][] => {
      const colon = line.indexOf(':')
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]]
    }),
  )
  const version = /^(\d+)\.(\d+)/.exec(lines.get('redis_version') ?? '')
  const number = (name: string) => (lines.has(name) ? Number(lines.get(name)) : null)
  const appendOnly = lines.get('aof_enabled')
  return {
    version: version === null ? null : [Number(version[1]), Number(version[2])],
    isCluster: lines.get('cluster_enabled') === '1',
    isReplica: lines.get('role') === 'slave',
    appendOnly: appendOnly === undefined ? null : appendOnly === '1',
    maxMemoryBytes: number('maxmemory'),
    evictionPolicy: lines.get('maxmemory_policy') ?? null,
  }
}

/** @throws UnfitServer */
export const refuseServer = ({ version, isReplica, maxMemoryBytes, evictionPolicy }: ServerFacts): void => {
  const [major, minor] = version ?? VERSION_MIN
  if (major < VERSION_MIN[0] || (major === VERSION_MIN[0] && minor < VERSION_MIN[1]))
    throw new UnfitServer(
      `this Redis is version ${major}.${minor}, and the log needs ${VERSION_MIN.join('.')} or later`,
    )
  if (isReplica) throw new UnfitServer('this Redis is a replica: REDIS_URL must name the primary')
  if (maxMemoryBytes !== null && maxMemoryBytes > 0 && evictionPolicy?.startsWith('allkeys'))
    throw new UnfitServer(
      `this Redis drops keys when its memory is full (maxmemory-policy ${evictionPolicy}), sessions among them: set maxmemory-policy noeviction`,
    )
}

export const serverWarnings = ({ version, appendOnly, maxMemoryBytes, evictionPolicy }: ServerFacts): string[] => {
  const warnings: string[] = []
  if (version === null)
    warnings.push(
      'this Redis does not tell its version and settings; the log needs 6.2 or later, an append-only file, and maxmemory-policy noeviction',
    )
  if (appendOnly === false)
    warnings.push(
      'this Redis keeps no append-only file: a crash of it loses every session since its last snapshot; set appendonly yes',
    )
  if (maxMemoryBytes !== null && maxMemoryBytes > 0 && evictionPolicy !== null && evictionPolicy !== 'noeviction')
    warnings.push(
      `maxmemory-policy is ${evictionPolicy}; the log wants noeviction, so that a full memory refuses and drops nothing`,
    )
  return warnings
}

/** The setting by which a cluster serves nobody while one of its nodes is away. */
export const FULL_COVERAGE = 'cluster-require-full-coverage'
export const FULL_COVERAGE_WARNING = `one node of this cluster that is away stops the partitions of all: set ${FULL_COVERAGE} no`
