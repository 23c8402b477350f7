import type { ServedObjects } from '../machines/ports/objects.ts'
import { type PictureProblem, rejected } from '../pictures/problem.ts'

/**
 * Reads pictures that lie in our own folder: asking our own HTTP for them would need a hole in the rules against private
 * addresses. Null for the URL of any other.
 */
export const ownPicture =
  (folder: ServedObjects | null, ownUrl: () => string) =>
  async (url: string): Promise<Uint8Array | PictureProblem | null> => {
    const prefix = `${ownUrl()}/objects/`
    if (folder === null || !url.startsWith(prefix)) return null
    const path = url.slice(prefix.length).split('?', 1)[0] ?? ''
    const opened = await folder.open(path, Object.fromEntries(new URL(url).searchParams))
    return typeof opened === 'string' ? rejected(opened) : opened.bytes
  }
