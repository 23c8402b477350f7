import type { Owner } from '../events/owner.ts'
import type { Environment } from '../machines/ports/environment.ts'
import type { EventLog } from '../machines/ports/event-log.ts'
import type { ObjectStore, ServedObjects } from '../machines/ports/objects.ts'
import type { Pause, Pauses } from '../machines/ports/pauses.ts'
import type { PoseEngine } from '../machines/ports/pose.ts'
import type { PartitionStatus } from '../machines/runtime/partition-status.ts'
import type { Repaired } from '../machines/runtime/repair.ts'
import type { LoopStatus } from '../machines/runtime/supervisor.ts'
import type { PictureFetcher } from '../pictures/fetch.ts'
import type { Photo } from '../pictures/photo.ts'
import type { ApiKeys, Audit } from '../projections/api-keys.ts'
import type { ErasureReport } from '../projections/erase-some.ts'
import type { Handbacks } from '../projections/hand-back.ts'
import type { Orphans } from '../projections/orphans.ts'
import type { Past } from '../projections/past.ts'
import type { Order } from '../projections/producer.ts'
import type { Acceptances, Queries } from '../projections/queries.ts'
import type { Archive, ProjectionTables } from '../projections/store.ts'
import type { StreamLimits } from './event-stream.ts'
import type { PromMeter } from './prom-meter.ts'

/** What this process runs, as it stands now. */
export interface ProcessStatus {
  readonly loops: readonly LoopStatus[]
  /** The partitions that this process holds. */
  readonly partitions: readonly PartitionStatus[]
  /** The process is going down: it is not ready any more, but still answers. */
  readonly draining: boolean
}

/** Something that must work before this process may be sent requests. */
export interface Check {
  /** `database`, `migrations`, `log`, `redis`, …; the one named `redis` also shows as `redis_connected`. */
  readonly name: string
  /** What an operator does when it fails, a sentence without internals; anyone may read it. */
  readonly remedy: string
  /** Rejects when it does not work. */
  readonly run: () => Promise<void>
}

/** Plays what the platform does around a task: charging for it, and keeping the uploaded pictures. */
export interface Rehearsal {
  /** Account, charge and session row, as the producer writes them before it pushes a task. `exists`: the row was there. */
  order(order: Order): Promise<'ordered' | 'exists'>
  /** Keeps a picture for some hours and answers where it can be fetched; null for bytes that are no picture. */
  upload(bytes: Uint8Array): Promise<{ url: string; expiresAt: string } | null>
}

/** What estimates of bodies from photos are made with. */
export interface BodyParts {
  readonly engine: PoseEngine
  readonly photos: PictureFetcher<Photo>
  /** Whether callers may ask for the photo with what was seen in it drawn over: for support and tests, not for shops. */
  readonly overlay: boolean
  /** How long an estimate may take; its callers give up after 5 s (CONTRACT section 6). Ms. */
  readonly deadlineMs: number
  /** Estimates that are worked on at once; beyond, 503 at once. Bounds the photos that are in memory. */
  readonly estimatesMax: number
  /** Photos that may wait for the models before a new request is told to come again, without being fetched in vain. */
  readonly waitingMax: number
}

/** How much HTTP takes before it says no. */
export interface HttpLimits extends StreamLimits {
  readonly bodyBytes: number
  /** An uploaded picture; photos of phones are 3 to 8 MB. */
  readonly pictureBytes: number
  /** Sessions of a tenant that have not ended; beyond, publications get 429. */
  readonly tenantBacklogMax: number
  /** How old a count of a tenant's backlog may be, ms. */
  readonly backlogCacheMs: number
  /** Requests that are worked on at once; beyond, 503 at once instead of late. */
  readonly requestsMax: number
  /** How long a request may take before its caller is told to try again, ms. Many clients leave after 10 s. */
  readonly answerMs: number
  /** How long one check may take, and how long its result stands: probes come often and from anywhere. Both ms. */
  readonly checkMs: number
  readonly checkCacheMs: number
  /** A loop that has not turned for so long, in ms, has stalled. */
  readonly stalledLoopMs: number
  /** Requests a minute of one key, and of one address without a valid key; beyond, 429. */
  readonly keyRequestsPerMinute: number
  readonly addressRequestsPerMinute: number
  /** How long a key's lookup stands, and so how long a revoked key lives on in other processes, ms. */
  readonly keyCacheMs: number
  readonly pageSize: number
  readonly pageSizeMax: number
}

export const defaultLimits: HttpLimits = {
  bodyBytes: 256 * 1024,
  pictureBytes: 10 * 1024 * 1024,
  tenantBacklogMax: 10_000,
  backlogCacheMs: 1_000,
  requestsMax: 1_000,
  answerMs: 8_000,
  checkMs: 2_000,
  checkCacheMs: 1_000,
  stalledLoopMs: 60_000,
  keyRequestsPerMinute: 6_000,
  addressRequestsPerMinute: 1_200,
  keyCacheMs: 5_000,
  pageSize: 50,
  pageSizeMax: 200,
  streamsMax: 500,
  streamBufferBytes: 1024 * 1024,
  heartbeatMs: 15_000,
  stalledMs: 30_000,
}

/** Everything that HTTP needs of the rest. Parts that this process does not run are null. */
export interface HttpParts {
  readonly log: Pick<EventLog, 'partitions' | 'publish' | 'letters' | 'readers'>
  readonly queries: Queries
  readonly acceptances: Pick<Acceptances, 'reserve' | 'published' | 'find'>
  readonly archive: Pick<Archive, 'read' | 'head' | 'session' | 'onGrowth'>
  readonly tables: Pick<ProjectionTables, 'status'>
  readonly past: Past
  readonly orphans: Pick<Orphans, 'list' | 'row'>
  /** Blanks what is kept of some of an owner's closed sessions. */
  readonly erase: (owner: Owner, by: string) => Promise<ErasureReport>
  /** Images that lie in our own folder; null when another service serves them. */
  readonly objects: ServedObjects | null
  /** Where results lie: signs their URLs again. */
  readonly images: Pick<ObjectStore, 'sign'>
  /** Starts a rebuild of a projection and answers at once. */
  readonly rebuild: ((projection: string) => Promise<'started' | 'running' | 'unknown'>) | null
  /** Repairs a damaged partition of this process; null when it is not here or not damaged. */
  readonly repair: ((partition: number) => Promise<Repaired | null>) | null
  /** Null where no photos are looked at (POSE=off). */
  readonly bodies: BodyParts | null
  /** For trying things out; null where the database may be the platform's own. */
  readonly rehearsal: Rehearsal | null
  readonly keys: ApiKeys
  readonly audit: Audit
  readonly pauses: Pauses
  /** The pauses as this process knows them. */
  readonly paused: () => readonly Pause[]
  readonly handbacks: Pick<Handbacks, 'untouched' | 'counts'>
  /** Whether the producers push to a list that this system knows (REDIS_URL). */
  readonly hasProducersList: boolean
  /** 256 random bits in base64url, for a new key. */
  readonly newSecret: () => string
  /** What the data folder lets whoever may read it act as: the operator, on this machine. Null where it could not be kept. */
  readonly operatorToken: string | null
  /** Under which browsers' sessions are signed: the same in all processes behind one address. */
  readonly consoleSecret: string
  /** Proxies whose X-Forwarded-For is believed: addresses, networks, `loopback`, `uniquelocal`, `linklocal`. */
  readonly trustedProxies: readonly string[]
  /** Where clients reach us, without a slash at its end. */
  readonly publicUrl: () => string
  readonly status: () => ProcessStatus
  readonly checks: readonly Check[]
  readonly metrics: PromMeter
  readonly env: Environment
  readonly limits: HttpLimits
}
