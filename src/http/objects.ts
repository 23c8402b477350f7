import { z } from 'zod'
import type { ServedObjects } from '../machines/ports/objects.ts'
import { open } from './access.ts'
import { Problem, reach } from './problem.ts'
import { type Route, route } from './route.ts'

/** An object never changes, and its URL dies within hours. */
const CACHE_S = 3_600

/** Images of our own folder, for whoever holds a signed URL. */
export const objectRoutes = (objects: ServedObjects | null): Route[] =>
  objects === null
    ? []
    : [
        route({
          method: 'get',
          path: '/objects/*path',
          title: 'An image of our own folder, for whoever holds its signed URL',
          access: open,
          params: z.strictObject({ path: z.array(z.string()).transform((segments) => segments.join('/')) }),
          query: z.strictObject({ expires: z.string().optional(), signature: z.string().optional() }),
          handle: async ({ params, query }) => {
            const opened = await reach(objects.open(params.path, query))
            if (opened === 'forbidden') throw new Problem('signature_refused')
            if (opened === 'gone') throw new Problem('object_gone')
            return {
              status: 200,
              headers: {
                'Content-Type': opened.contentType,
                'Cache-Control': `private, max-age=${CACHE_S}, immutable`,
                // Front ends on other origins show these images.
                'Cross-Origin-Resource-Policy': 'cross-origin',
              },
              body: opened.bytes,
            }
          },
        }),
      ]
