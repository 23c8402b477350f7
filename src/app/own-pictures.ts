import type { ServedObjects } from '../machines/ports/objects.ts'
import { type PictureProblem, rejected } from '../pictures/problem.ts'

/**
 * Reads pictures that lie in our own folder: asking our own HTTP for them would need a hole in the rules against private
 * addresses. Null for the URL of any other.
 */
export const ownPicture =
  (objects: ServedObjects, ownUrl: () => string) =>
  async (url: string): Promise<Uint8Array | PictureProblem | null> => {
    const prefix = `${ownUrl()}/objects/`
    if (!url.startsWith(prefix)) return null
    const path = url.slice(prefix.length).split('?', 1)[0] ?? ''
    const opened = await objects.open(path, Object.fromEntries(new URL(url).searchParams))
    return typeof opened === 'string' ? rejected(opened) : opened.bytes
  }
