import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openEmbedded } from '../../src/adapters/postgres/embedded.ts'
import { FolderInUse, lockFolder, readHolder } from '../../src/adapters/postgres/lock.ts'

const HOLD = fileURLToPath(import.meta.resolve('../support/hold-folder.ts'))

let folder: string
const children: ChildProcess[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wearon-lock-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

/** A process that tries to lock the folder; resolves with whether it got it. */
const contend = async (...args: string[]): Promise<{ child: ChildProcess; locked: boolean }> => {
  const child = spawn(process.execPath, [HOLD, folder, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  children.push(child)
  const said = once(child.stdout, 'data').then(() => true)
  const gave = once(child, 'exit').then(() => false)
  return { child, locked: await Promise.race([said, gave]) }
}

const kill = async (child: ChildProcess) => {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

it('refuses a folder that another process has, and names that process and its address', async () => {
  const { child } = await contend('http://127.0.0.1:8000')
  expect(() => lockFolder(folder)).toThrow(FolderInUse)
  expect(() => lockFolder(folder)).toThrow(new RegExp(`process ${child.pid} on .*http://127.0.0.1:8000`))
  expect(readHolder(folder)).toMatchObject({ pid: child.pid, url: 'http://127.0.0.1:8000' })
})

it('is free again at once when its holder was killed, whatever the holder wrote down', async () => {
  const { child } = await contend()
  await kill(child)
  expect(readHolder(folder)?.pid).toBe(child.pid)
  const lock = lockFolder(folder)
  expect(readHolder(folder)?.pid).toBe(process.pid)
  lock.release()
  expect(readHolder(folder)).toBeNull()
})

it('is granted to exactly one of many that ask at the same moment, also after a kill', async () => {
  const first = await contend()
  await kill(first.child)
  const all = await Promise.all(Array.from({ length: 6 }, () => contend()))
  expect(all.filter(({ locked }) => locked)).toHaveLength(1)
})

it('is not granted twice within one process', () => {
  const lock = lockFolder(folder)
  expect(() => lockFolder(folder)).toThrow(FolderInUse)
  lock.release()
  lockFolder(folder).release()
})

it('names no one when the note of the holder is damaged', async () => {
  await contend()
  await writeFile(join(folder, 'holder.json'), '{')
  expect(() => lockFolder(folder)).toThrow('in use by another process')
})

it('guards the embedded database, and lets go of it with the last write done', async () => {
  const first = await openEmbedded(folder)
  await expect(openEmbedded(folder)).rejects.toThrow(FolderInUse)
  await first.query('create table t (n int)')
  await first.close()
  const second = await openEmbedded(folder)
  expect(await second.query('select * from t')).toEqual([])
  await second.close()
})
