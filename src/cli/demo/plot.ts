import { randomUUID } from 'node:crypto'
import { refusals } from '../../adapters/preview/rehearsal.ts'
import { SessionId, StoreId, UserId } from '../../events/ids.ts'
import type { Owner } from '../../events/owner.ts'
import type { NoImage } from '../../machines/ports/generator.ts'

/** Short, so that a demo stays short; a real provider asks for 10 s and more. */
const RATE_LIMIT_WAIT_MS = 1_500

/** Somebody who pays. */
export interface Account {
  readonly name: string
  readonly owner: Owner
  /** Set for a shopper, who pays from credits at the store. */
  readonly email?: string
}

/** What must have become of a session in the end. */
export interface Expected {
  readonly state: 'completed' | 'refunded'
  readonly tries: number
  readonly failureCode: string | null
}

/** One session of the demo. */
export interface Scene {
  readonly title: string
  readonly sessionId: SessionId
  readonly account: Account
  /** Which garment; the accessories come along when there are any. */
  readonly garment: number
  readonly accessories?: true
  /** What the provider says before it makes the image. */
  readonly refusals?: readonly NoImage[]
  /** `twice`: the producer repeats it. `malformed`: a task that names its session and has no pictures. */
  readonly sent: 'once' | 'twice' | 'malformed'
  readonly expected: Expected
}

/** Everything that the demo plays. */
export interface Plot {
  readonly accounts: readonly Account[]
  readonly scenes: readonly Scene[]
  /** Bytes in an inbox that nobody can read. */
  readonly garbage: Buffer
}

const completed: Expected = { state: 'completed', tries: 1, failureCode: null }

/** A new run: ids differ each time. */
export const newPlot = (): Plot => {
  const owner = { channel: 'b2b', storeId: StoreId.parse(randomUUID()) } as const
  const anna = user('Anna')
  const ben = user('Ben')
  const shop = { name: 'the shop', owner }
  const lea = { name: 'Lea', owner, email: 'lea@example.com' }
  const play = (title: string, account: Account, more: Partial<Scene> = {}): Scene => ({
    title,
    sessionId: SessionId.parse(randomUUID()),
    account,
    garment: 0,
    sent: 'once',
    expected: completed,
    ...more,
  })
  const scenes = [
    play('Anna tries a shirt on', anna),
    play('Anna tries another one', anna, { garment: 1, accessories: true }),
    play("A visitor of the shop, on the shop's credits", shop, { garment: 2 }),
    play('Lea, on her own credits at the shop', lea),
    play("Ben's pictures are refused by moderation", ben, {
      refusals: [refusals.moderation],
      expected: { state: 'refunded', tries: 1, failureCode: 'moderation_blocked' },
    }),
    play('The provider is busy, and is asked again', shop, {
      garment: 1,
      refusals: [refusals.rateLimit(RATE_LIMIT_WAIT_MS)],
      expected: { ...completed, tries: 2 },
    }),
    play('Ben tries again, and it is sent three times', ben, { garment: 2, sent: 'twice' }),
    play('Lea gets a task without pictures', lea, {
      sent: 'malformed',
      expected: { state: 'refunded', tries: 0, failureCode: 'invalid_task' },
    }),
  ]
  return { accounts: [anna, ben, shop, lea], scenes, garbage: Buffer.from('{"task_id": "7", "image_urls": [') }
}

const user = (name: string): Account => ({
  name,
  owner: { channel: 'b2c', userId: UserId.parse(randomUUID()) },
})

/** Who pays, in the words of the producer. */
export const chargeOf = ({ email }: Account) => (email === undefined ? ('account' as const) : ('shopper' as const))
