import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from './durable.ts'
import { OBJECT_SUFFIX, STAGING } from './sweep.ts'

/** Every object below a folder, in no order; what goes while it is read may be in it or not. */
export async function* listFolder(
  folder: string,
  prefix = '',
): AsyncGenerator<{ readonly path: string; readonly storedAtMs: number }> {
  for await (const entry of entriesOf(folder)) {
    if (!entry.isDirectory() || entry.name === STAGING) continue
    const child = join(folder, entry.name)
    if (!entry.name.endsWith(OBJECT_SUFFIX)) yield* listFolder(child, `${prefix}${entry.name}/`)
    else {
      const storedAtMs = await storedAt(child)
      if (storedAtMs !== null) yield { path: prefix + entry.name.slice(0, -OBJECT_SUFFIX.length), storedAtMs }
    }
  }
}

async function* entriesOf(folder: string) {
  try {
    yield* await opendir(folder)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}

const storedAt = async (path: string): Promise<number | null> => {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}
