/** What travels with a stored image, so that a found one completes its session in full. Plain JSON. */
export type ObjectMetadata = Readonly<Record<string, unknown>>

/** The bucket of images. Paths are relative, with `/` between segments. */
export interface ObjectStore {
  /** Stores the bytes unless the path is taken: an upload never overwrites. Answers which of both happened. */
  put(path: string, bytes: Uint8Array, metadata: ObjectMetadata): Promise<'stored' | 'exists'>
  /** The metadata of what lies at the path, or null when nothing does. */
  find(path: string): Promise<ObjectMetadata | null>
  /** A URL that anyone may read the object with until `expiresAt`. @throws NoSuchObject when nothing lies there. */
  sign(path: string, validMs: number): Promise<SignedUrl>
}

export interface SignedUrl {
  readonly url: string
  /** ISO 8601. */
  readonly expiresAt: string
}

/** Nothing lies at the path, or not any more. */
export class NoSuchObject extends Error {
  override readonly name = 'NoSuchObject'

  constructor() {
    super('no object lies at this path')
  }
}

/** Objects that can be taken away. */
export interface RemovableObjects {
  /** At most 1,000. Answers how many objects there were; what a repeat after a lost answer finds gone counts as none. */
  remove(paths: readonly string[]): Promise<number>
}

export interface StoredObject {
  readonly path: string
  /** Milliseconds since the epoch. */
  readonly storedAtMs: number
}

/** Objects that can be looked through. */
export interface ListedObjects {
  /** Every object below a folder (`a/b/`), in no order; what comes or goes meanwhile may be in it or not. */
  list(folder: string): AsyncIterable<StoredObject>
}

/** Everything that the program does with a bucket. */
export interface Objects extends ObjectStore, RemovableObjects, ListedObjects {}

/** A stored object on its way to whoever holds a signed URL. */
export interface OpenedObject {
  readonly bytes: Uint8Array
  readonly contentType: string
}

/** Objects that our own HTTP serves at `GET /objects/<path>?expires=…&signature=…`, the URLs that `sign` gives out. */
export interface ServedObjects {
  /** `forbidden`: the signature is wrong or the time is over. `gone`: nothing lies there any more. */
  open(
    path: string,
    query: { readonly expires?: unknown; readonly signature?: unknown },
  ): Promise<OpenedObject | 'forbidden' | 'gone'>
}
