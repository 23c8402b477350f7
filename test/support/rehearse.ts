import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { z } from 'zod'
import { SessionAnswer } from '../../src/cli/answers.ts'
import type { Client } from '../../src/cli/client.ts'
import { drawGarment, drawPerson } from '../../src/pictures/draw.ts'
import { eventually } from './eventually.ts'

const Published = z.looseObject({ session_id: z.string() })

/** Orders and publishes a session with drawn pictures, as a producer would. Answers its id. */
export const publishDrawn = async (client: Client, id?: string): Promise<string> =>
  publishPictures(client, [await client.upload(await drawPerson(1)), await client.upload(await drawGarment(2))], id)

/** Orders and publishes a session with the pictures at these addresses. */
export const publishPictures = async (
  client: Client,
  urls: readonly string[],
  id: string = randomUUID(),
  user: string = randomUUID(),
): Promise<string> => {
  const task = {
    task_id: randomUUID(),
    channel: 'b2c',
    user_id: user,
    session_id: id,
    image_urls: urls,
    request_id: `req_${randomUUID()}`,
    created_at: new Date().toISOString(),
  }
  await client.post('/v1/rehearsal/orders', task, Published)
  return (await client.post('/v1/generations', task, Published)).session_id
}

/** Waits until the session is in this state, and answers it. */
export const reaches = (client: Client, id: string, state: SessionAnswer['state']): Promise<SessionAnswer> =>
  eventually(async () => {
    const session = await client.get(`/v1/generations/${id}`, SessionAnswer)
    expect(session.state).toBe(state)
    return session
  })
