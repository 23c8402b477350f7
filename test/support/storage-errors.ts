import type { StorageAnswer } from './storage-bucket.ts'

/** How storage-api says no. Newer ones add `code`, which older ones do not know (src/http/schemas/error.ts). */
export class StorageRefusal extends Error {
  readonly statusCode: string
  readonly error: string
  readonly code: string

  constructor(statusCode: number, { error, code, message }: { error: string; code: string; message: string }) {
    super(message)
    this.statusCode = String(statusCode)
    this.error = error
    this.code = code
  }

  /** Under HTTP 400, whatever `statusCode` says, unless that is 500. */
  answer(withCode: boolean): StorageAnswer {
    const { statusCode, error, code, message } = this
    const body = { statusCode, error, message, ...(withCode && { code }) }
    return { status: statusCode === '500' ? 500 : 400, body }
  }
}

const row = (status: number, error: string, code: string, message: string) => () =>
  new StorageRefusal(status, { error, code, message })

/** Those of src/internal/errors/codes.ts that the double can run into. */
export const refuse = {
  noBucket: row(404, 'Bucket not found', 'NoSuchBucket', 'Bucket not found'),
  noKey: row(404, 'not_found', 'NoSuchKey', 'Object not found'),
  taken: row(409, 'Duplicate', 'KeyAlreadyExists', 'The resource already exists'),
  tooLarge: row(413, 'Payload too large', 'EntityTooLarge', 'The object exceeded the maximum allowed size'),
  denied: row(403, 'Unauthorized', 'AccessDenied', 'new row violates row-level security policy'),
  unsigned: row(403, 'Unauthorized', 'AccessDenied', 'jwt malformed'),
  badToken: row(400, 'InvalidJWT', 'InvalidJWT', '"exp" claim timestamp check failed'),
  badSignature: row(400, 'InvalidSignature', 'InvalidSignature', 'Invalid signature'),
  badKey: row(400, 'InvalidKey', 'InvalidKey', 'Invalid key'),
  badRequest: row(400, 'Error', 'InvalidRequest', 'body must have required property'),
}
