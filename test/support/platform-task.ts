import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { Client } from '../../src/cli/client.ts'
import type { SessionId } from '../../src/events/ids.ts'
import { drawGarment, drawPerson } from '../../src/pictures/draw.ts'
import { newUser, order, type StoreWorld } from './store-world.ts'

const Published = z.looseObject({ session_id: z.string() })

/** A server of drawn pictures, as the platform's uploads are fetched. `host` is what IMAGE_HOSTS must allow. */
export const servePictures = async (): Promise<{
  readonly host: string
  readonly urls: readonly [person: string, garment: string]
  close(): void
}> => {
  const drawn = new Map([
    ['/person.jpg', await drawPerson(1)],
    ['/garment.jpg', await drawGarment(2)],
  ])
  const server = createServer((request, response) => {
    response.setHeader('Content-Type', 'image/jpeg').end(drawn.get(request.url ?? ''))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = () => void server.close()
  return { host, urls: [`http://${host}/person.jpg`, `http://${host}/garment.jpg`], close }
}

/** What the platform's producer does for a user: charge, row, task. */
export const publishForUser = async (
  world: StoreWorld,
  url: string,
  imageUrls: readonly string[],
): Promise<{ user: ReturnType<typeof newUser>; userId: string; session: SessionId }> => {
  const user = newUser()
  const userId = user.channel === 'b2c' ? user.userId : ''
  const placed = order(user)
  await world.producer.order(placed)
  const task = {
    task_id: randomUUID(),
    channel: 'b2c',
    user_id: userId,
    session_id: placed.sessionId,
    image_urls: imageUrls,
    prompt: '',
    request_id: placed.requestId,
    created_at: new Date().toISOString(),
  }
  await new Client(url).post('/v1/generations', task, Published)
  return { user, userId, session: placed.sessionId }
}
