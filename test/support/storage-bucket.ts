import { randomUUID } from 'node:crypto'

/** What the double keeps of an object: the row in `storage.objects` and the bytes. */
export interface KeptObject {
  readonly id: string
  readonly bytes: Uint8Array
  readonly contentType: string
  readonly userMetadata: unknown
  readonly createdAt: string
}

/** One answer of the double. `body`: JSON, or bytes as they are. */
export interface StorageAnswer {
  readonly status: number
  readonly body: object | Uint8Array
  readonly contentType?: string
}

const LIMIT = 1_000

/** The objects of one bucket, in memory, with what storage-api does to them. */
export class StorageBucket {
  readonly #objects = new Map<string, KeptObject>()
  readonly #now: () => number
  readonly #pageMax: number

  constructor(now: () => number, pageMax = LIMIT) {
    this.#now = now
    this.#pageMax = pageMax
  }

  get(name: string): KeptObject | undefined {
    return this.#objects.get(name)
  }

  has(name: string): boolean {
    return this.#objects.has(name)
  }

  /** Stores an object; whether it may is the server's to say. */
  set(name: string, object: Pick<KeptObject, 'bytes' | 'contentType' | 'userMetadata'>): KeptObject {
    const kept = { ...object, id: randomUUID(), createdAt: new Date(this.#now()).toISOString() }
    this.#objects.set(name, kept)
    return kept
  }

  info(name: string, { id, bytes, contentType, userMetadata, createdAt }: KeptObject): object {
    return {
      id,
      name,
      version: id,
      size: bytes.length,
      content_type: contentType,
      cache_control: 'max-age=3600',
      etag: `"${id}"`,
      metadata: userMetadata,
      last_modified: createdAt,
      created_at: createdAt,
    }
  }

  /** Answers the rows that it deleted. */
  delete(names: readonly string[]): object[] {
    return names.filter((name) => this.#objects.delete(name)).map((name) => ({ name }))
  }

  /** Without a delimiter: whole names, by name, a page each; the cursor names the last of the page before. */
  list({ prefix = '', limit = LIMIT, cursor }: { prefix?: string; limit?: number; cursor?: string }): object {
    const after = cursor === undefined ? '' : Buffer.from(cursor, 'base64').toString().replace(/^l:/, '')
    const names = [...this.#objects.keys()].filter((name) => name.startsWith(prefix) && name > after).toSorted()
    const page = names.slice(0, Math.min(limit, this.#pageMax))
    const hasNext = page.length < names.length
    return {
      hasNext,
      ...(hasNext && { nextCursor: Buffer.from(`l:${page.at(-1)}`).toString('base64') }),
      folders: [],
      objects: page.map((name) => ({
        id: this.#objects.get(name)?.id,
        name,
        created_at: this.#objects.get(name)?.createdAt,
        updated_at: this.#objects.get(name)?.createdAt,
        metadata: { size: this.#objects.get(name)?.bytes.length },
      })),
    }
  }
}
