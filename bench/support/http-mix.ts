import { randomUUID } from 'node:crypto'
import type autocannon from 'autocannon'
import { z } from 'zod'

/** As many clients as poll for their picture at a time: whoever asks for one session asks for one of the last ones. */
const POLLED = 1_000
/** Half of the publications come from so many stores, the others from a user each. */
const STORES = 50
/** Of so many requests five publish, one lists, one asks for the health, and the others for one session. */
const ROUND = 50

const stores = Array.from({ length: STORES }, () => randomUUID())

/** One in ten publishes a session of its own, the others read: what a shop's page asks for, and sometimes a person. */
export class RequestMix {
  /** Every session that was answered with 202. */
  readonly accepted = new Set<string>()
  readonly #bearer: string
  readonly #polled: string[] = []
  #sent = 0

  constructor(bearer: string) {
    this.#bearer = bearer
  }

  next(request: autocannon.Request): autocannon.Request {
    const place = this.#sent++ % ROUND
    const known = this.#polled[Math.floor(Math.random() * this.#polled.length)]
    const authorization = this.#bearer
    if (place % 10 === 0 || known === undefined) {
      const headers = { authorization, 'content-type': 'application/json' }
      return { ...request, method: 'POST', path: '/v1/generations', headers, body: JSON.stringify(newTask(this.#sent)) }
    }
    return { ...request, method: 'GET', path: pathAt(place, known), headers: { authorization }, body: undefined }
  }

  answered(status: number, body: string): void {
    if (status !== 202) return
    const { session_id: id } = Accepted.parse(JSON.parse(body))
    this.accepted.add(id)
    if (this.#polled.length < POLLED) this.#polled.push(id)
    else this.#polled[this.accepted.size % POLLED] = id
  }
}

const Accepted = z.object({ session_id: z.string() })

const pathAt = (place: number, known: string): string => {
  if (place === 5) return '/v1/generations?limit=50'
  return place === 15 ? '/health' : `/v1/generations/${known}`
}

const newTask = (number: number): object => ({
  task_id: randomUUID(),
  ...(number % 20 === 1
    ? { channel: 'b2b', store_id: stores[number % STORES] }
    : { channel: 'b2c', user_id: randomUUID() }),
  session_id: randomUUID(),
  image_urls: ['https://images.example/person.jpg?token=abc', 'https://images.example/garment.jpg?token=abc'],
  prompt: '',
  request_id: `req_${randomUUID()}`,
  version: 1,
  created_at: new Date().toISOString(),
})
