import { randomUUID } from 'node:crypto'
import { readdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from './durable.ts'

/** An object's own folder ends so; no object path begins with a dot, so the staging folder is none of them. */
export const OBJECT_SUFFIX = '.object'
export const STAGING = '.staging'
/** Writing takes seconds: what is being written for this long belongs to a process that died. */
const STAGED_MAX_MS = 3_600_000

/** Deletes the objects stored longer ago than `olderThanMs`, empty folders, and what dead writers left. */
export async function sweepFolder(folder: string, nowMs: number, olderThanMs: number): Promise<number> {
  const staging = join(folder, STAGING)
  const deleted = await sweepInto(staging, folder, nowMs - olderThanMs)
  for (const name of await readdir(staging)) {
    const staged = join(staging, name)
    if (await isOlder(staged, nowMs - STAGED_MAX_MS)) await rm(staged, { recursive: true, force: true })
  }
  return deleted
}

async function sweepInto(staging: string, folder: string, beforeMs: number): Promise<number> {
  let deleted = 0
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name === STAGING) continue
    const child = join(folder, entry.name)
    if (!entry.name.endsWith(OBJECT_SUFFIX)) deleted += await sweepBranch(staging, child, beforeMs)
    else if ((await isOlder(child, beforeMs)) && (await deleteObject(staging, child))) deleted++
  }
  return deleted
}

async function sweepBranch(staging: string, folder: string, beforeMs: number): Promise<number> {
  const deleted = await sweepInto(staging, folder, beforeMs)
  await unlessMissing(rmdir(folder), 'ENOTEMPTY', 'EEXIST')
  return deleted
}

/** Moved away first: a reader sees all of the object or nothing, also when this process dies here. */
export async function deleteObject(staging: string, object: string): Promise<boolean> {
  const moved = join(staging, randomUUID())
  const found = await unlessMissing(rename(object, moved).then(() => true))
  await rm(moved, { recursive: true, force: true })
  return found ?? false
}

async function isOlder(path: string, thanMs: number): Promise<boolean> {
  const found = await unlessMissing(stat(path))
  return found !== null && found.mtimeMs < thanMs
}

/** Null when it is not there any more: another process may sweep the same folder. */
async function unlessMissing<Answer>(work: Promise<Answer>, ...codes: string[]): Promise<Answer | null> {
  try {
    return await work
  } catch (error) {
    if (hasCode(error, 'ENOENT', ...codes)) return null
    throw error
  }
}
