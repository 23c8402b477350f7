import { SessionId } from '../../events/ids.ts'
import type { Owner } from '../../events/owner.ts'

/** Where a session's image lies in the bucket; front ends know these paths. */
export const resultPath = (owner: Owner, session: SessionId): string =>
  owner.channel === 'b2b'
    ? `stores/${owner.storeId}/generated/${session}.jpg`
    : `generated/${owner.userId}/${session}.jpg`

/** The folders below which results lie, beside other files. */
export const RESULT_FOLDERS = ['stores/', 'generated/'] as const

const RESULT = /^(?:stores\/[^/]+\/generated|generated\/[^/]+)\/([^/]+)\.jpg$/

/** The session whose result would lie at a path; null for any other object. */
export const sessionOfResult = (path: string): SessionId | null =>
  SessionId.safeParse(RESULT.exec(path)?.[1]).data ?? null
