import type { ServedObjects } from '../machines/ports/objects.ts'
import type { PictureSource } from '../machines/ports/pictures.ts'

/**
 * Pictures that lie in our own folder are read there: asking our own HTTP for them would need a hole in the rules against
 * private addresses. All others are fetched.
 */
export const ownPictures = (objects: ServedObjects, ownUrl: () => string, others: PictureSource): PictureSource => ({
  fetch: async (urls, signal) => {
    const prefix = `${ownUrl()}/objects/`
    const pictures: Uint8Array[] = []
    const foreign = urls.filter((url) => !url.startsWith(prefix))
    const fetched = foreign.length === 0 ? [] : await others.fetch(foreign, signal)
    if (!Array.isArray(fetched)) return fetched
    for (const [index, url] of urls.entries()) {
      const picture = url.startsWith(prefix) ? await openOwn(objects, url, prefix) : fetched.shift()
      if (picture === undefined || picture === 'forbidden' || picture === 'gone')
        return { code: 'input_rejected', detail: `picture ${index + 1}: ${picture ?? 'missing'}` }
      pictures.push(picture)
    }
    return pictures
  },
})

const openOwn = async (
  objects: ServedObjects,
  url: string,
  prefix: string,
): Promise<Uint8Array | 'forbidden' | 'gone'> => {
  const { searchParams } = new URL(url)
  const path = url.slice(prefix.length).split('?', 1)[0] ?? ''
  const opened = await objects.open(path, Object.fromEntries(searchParams))
  return typeof opened === 'string' ? opened : opened.bytes
}
