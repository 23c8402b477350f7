import { createHash, timingSafeEqual } from 'node:crypto'

/** What a key is known by, and what proves it. */
export interface Credential {
  readonly id: string
  readonly secret: string
}

const FORM = /^wk_(?<id>[0-9a-f]{16})_(?<secret>[\w-]{43})$/

/** A key as its bearer sends it: `wk_<id>_<secret>`, the secret 256 random bits in base64url. */
export const keyText = ({ id, secret }: Credential): string => `wk_${id}_${secret}`

/** Null for what is no key at all. */
export const readKey = (text: string): Credential | null => {
  const { id, secret } = FORM.exec(text)?.groups ?? {}
  return id === undefined || secret === undefined ? null : { id, secret }
}

/**
 * SHA-256 in hex. A slow hash (scrypt, Argon2) protects what people choose and others can guess; among 2^256 secrets there is
 * nothing to guess, and each request would pay for it (OWASP, Password Storage: high-entropy secrets).
 */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** Whether two texts are the same, in a time that does not tell where they differ. */
export const isSame = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other))

/** Whether a secret has this hash (of `hashOf`), in a time that does not tell where they differ. */
export const proves = (secret: string, secretHash: string): boolean =>
  secretHash.length === HASH_LENGTH && timingSafeEqual(Buffer.from(hashOf(secret)), Buffer.from(secretHash))

const HASH_LENGTH = 64

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
