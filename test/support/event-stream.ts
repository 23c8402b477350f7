import { onTestFinished } from 'vitest'

/** A client of server-sent events: what came so far, and how it ended. */
export interface EventStreamClient<Event> {
  readonly response: Response
  readonly events: readonly Event[]
  /** All that came, as it came. */
  readonly raw: string
  /** Empty while the stream is open. */
  readonly ended: '' | 'ended' | 'broken'
  leave(): void
}

/** Listens until the stream ends or the test does. @param eventsOf what one block of lines tells: nothing for a comment. */
export const openEventStream = async <Event>(
  url: string,
  eventsOf: (block: string) => readonly Event[],
  headers: Record<string, string> = {},
): Promise<EventStreamClient<Event>> => {
  const abort = new AbortController()
  onTestFinished(() => abort.abort())
  const response = await fetch(url, { headers, signal: abort.signal })
  const events: Event[] = []
  const client = {
    response,
    events,
    raw: '',
    ended: '' as EventStreamClient<Event>['ended'],
    leave: () => abort.abort(),
  }
  const read = async () => {
    let rest = ''
    for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      client.raw += text
      const blocks = (rest + text).split('\n\n')
      rest = blocks.pop() ?? ''
      events.push(...blocks.flatMap(eventsOf))
    }
  }
  void read().then(
    () => {
      client.ended = 'ended'
    },
    () => {
      client.ended = 'broken'
    },
  )
  return client
}

/** The data of a block, as JSON; nothing for a block that carries none. */
export const dataOf = (block: string): unknown[] =>
  [...block.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data) as unknown)
