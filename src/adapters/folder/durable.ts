import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes a new file through to the disk. @throws EEXIST when there is one. */
export async function writeDurably(file: string, content: Uint8Array | string, mode = 0o644): Promise<void> {
  const handle = await open(file, 'wx', mode)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes what was created in or renamed into the folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Creates the folder with all above it, durably. */
export async function createFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true })
  if (first === undefined) return
  for (let child = folder; child.length >= first.length; child = dirname(child)) await syncFolder(dirname(child))
}

/** True for an error of the operating system with one of these codes. */
export const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code))
