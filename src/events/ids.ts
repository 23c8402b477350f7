import { crc32 } from 'node:zlib'
import { z } from 'zod'

/** UUIDs come in any letter case and mean the same: kept in lower case. Any version, as PostgreSQL's `uuid` takes them. */
const Uuid = z.guid({ error: 'is not a UUID' }).transform((id) => id.toLowerCase())

export const SessionId = Uuid.brand<'SessionId'>()
export type SessionId = z.infer<typeof SessionId>

export const StoreId = Uuid.brand<'StoreId'>()
export type StoreId = z.infer<typeof StoreId>

export const UserId = Uuid.brand<'UserId'>()
export type UserId = z.infer<typeof UserId>

/** Which partition a session lives in: CRC-32 (IEEE 802.3) of the lower-case id, modulo the number of partitions. */
export const partitionOf = (session: SessionId, partitions: number): number => crc32(session) % partitions
