import { pictureFetcher } from '../../src/pictures/fetch.ts'
import { preparePicture } from '../../src/pictures/prepare.ts'

/** What the process is asked for, and what it answers: pictures as base64. */
export interface Asked {
  readonly url: string
  readonly hosts: readonly string[]
  readonly timeoutMs: number
}
export interface Answered {
  readonly answer: string | { readonly code: string; readonly detail: string }
  readonly tookMs: number
  /** The most memory that the process ever took. */
  readonly peakMb: number
}

/** Fetches and prepares what it is told to, one after the other, in a process of its own: its memory is nobody else's. */
const answer = async ({ url, hosts, timeoutMs }: Asked): Promise<Answered> => {
  const fetcher = pictureFetcher({ hosts, use: preparePicture, timeoutMs })
  const startedAt = performance.now()
  const made = await fetcher.fetch([url], new AbortController().signal, 'a store')
  const tookMs = performance.now() - startedAt
  await fetcher.close()
  const [picture] = Array.isArray(made) ? made : []
  return {
    answer: Array.isArray(made) ? Buffer.from(picture ?? []).toString('base64') : made,
    tookMs,
    peakMb: process.resourceUsage().maxRSS / 1024,
  }
}

process.on('message', (asked: Asked) => void answer(asked).then((answered) => process.send?.(answered)))
