import { describe, expect, it } from 'vitest'
import { isRefusal, Refused } from '../../../src/adapters/shared/database/functions.ts'
import { databasePlatform } from '../../../src/adapters/shared/database/platform.ts'
import { sessionId } from '../../support/facts.ts'

describe('an error of a database', () => {
  it.each([
    ['P0001', 'an exception of a function'],
    ['23505', 'a constraint'],
    ['42P01', 'a table that is missing'],
    ['40P01', 'a deadlock'],
  ])('%s (%s) says that nothing happened', (code: string) => expect(isRefusal(code)).toBe(true))

  it.each([
    ['08006', 'a lost connection'],
    ['57014', 'a timeout'],
    ['XX000', 'an internal error'],
    ['EPIPE', 'a broken socket'],
    ['', 'no code'],
  ])('%s (%s) leaves open what happened', (code: string) => expect(isRefusal(code)).toBe(false))
})

describe('a refund', () => {
  const refundWith = (error: Error) => {
    const fail = async () => {
      throw error
    }
    return databasePlatform(fail, 'platform', 1).refund(sessionId, { partition: 0, epoch: 1 })
  }

  it('that the database refused is an outcome to retry later', async () => {
    const refused = new Refused('P0001', 'no balance row')
    expect(await refundWith(refused)).toEqual({ kind: 'error', detail: 'P0001: no balance row' })
  })

  it('of unknown outcome is not answered: it is asked again', async () => {
    await expect(refundWith(new Error('read ECONNRESET'))).rejects.toThrow('ECONNRESET')
  })
})
