import { Fact } from '../events/fact.ts'
import { SessionAnswer } from './answers.ts'
import type { Client } from './client.ts'
import { styledState } from './text.ts'
import { timelineLine } from './timeline.ts'

/** Prints a session's facts as they happen, and how it ended. */
export const watchSession = async (server: Client, id: string): Promise<void> => {
  let startMs: number | null = null
  for await (const event of server.events(`/v1/generations/${id}/events`, new AbortController().signal)) {
    const fact = Fact.parse(event)
    startMs ??= Date.parse(fact.at)
    console.log(timelineLine(fact, startMs))
  }
  const session = await server.get(`/v1/generations/${id}`, SessionAnswer)
  console.log(`${styledState(session.state)} ${session.image_url ?? session.error_message ?? ''}`.trimEnd())
}
