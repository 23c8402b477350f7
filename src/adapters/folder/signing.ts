import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { link, readFile, rm } from 'node:fs/promises'
import { hasCode, writeDurably } from './durable.ts'

const SECRET_BYTES = 32

/** Makes and checks the signatures of URLs: HMAC-SHA256 over path and expiry, base64url. */
export interface Signer {
  sign(path: string, expiresS: number): string
  /** Takes the same time for every wrong signature. */
  isRight(path: string, expiresS: number, signature: string): boolean
}

/** A signer with the secret of this file, which is made once, readable by its owner only. */
export async function openSigner(file: string): Promise<Signer> {
  const secret = await secretOf(file)
  // No path holds a line break, so no two pairs of path and expiry give the same text.
  const digest = (path: string, expiresS: number) =>
    createHmac('sha256', secret).update(`${path}\n${expiresS}`).digest()
  return {
    sign: (path, expiresS) => digest(path, expiresS).toString('base64url'),
    isRight(path, expiresS, signature) {
      const right = digest(path, expiresS)
      const given = Buffer.from(signature, 'base64url')
      return given.length === right.length && timingSafeEqual(given, right)
    },
  }
}

async function secretOf(file: string): Promise<Buffer> {
  const staged = `${file}.${randomBytes(8).toString('hex')}`
  try {
    return await readFile(file)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
  await writeDurably(staged, randomBytes(SECRET_BYTES), 0o600)
  try {
    // A link never replaces: of two processes that start at once, both end up with the same secret.
    await link(staged, file)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    await rm(staged, { force: true })
  }
  return readFile(file)
}
