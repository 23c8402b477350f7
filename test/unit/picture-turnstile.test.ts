import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Turnstile } from '../../src/pictures/turnstile.ts'

/** Work that ends when it is told to. */
const held = () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let begun = false
  const work = () => {
    begun = true
    return promise
  }
  return { work, end: resolve, begun: () => begun }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('turnstile', () => {
  test('lets so many in, the others in their order', async () => {
    const turnstile = new Turnstile(2)
    const works = [held(), held(), held(), held()]
    const all = works.map(({ work }) => turnstile.run('a', work))
    await turn()
    expect(works.map(({ begun }) => begun())).toEqual([true, true, false, false])
    works[1]?.end()
    await turn()
    expect(works.map(({ begun }) => begun())).toEqual([true, true, true, false])
    for (const { end } of works) end()
    await Promise.all(all)
  })

  test('keeps places from one key for the others', async () => {
    const turnstile = new Turnstile(3, 2)
    const [first, second, third, other] = [held(), held(), held(), held()]
    const all = [first, second, third].map(({ work }) => turnstile.run('slow', work))
    const others = turnstile.run('quick', other.work)
    await turn()
    expect([third.begun(), other.begun()]).toEqual([false, true])
    for (const { end } of [first, second, third, other]) end()
    await Promise.all([...all, others])
  })

  test('forgets who gives up waiting, and gives back the place of work that fails', async () => {
    const turnstile = new Turnstile(1)
    const first = held()
    const failing = turnstile.run('a', () => first.work().then(() => Promise.reject(new Error('failed'))))
    const stop = new AbortController()
    const gone = turnstile.run('a', async () => 'never', stop.signal)
    const next = turnstile.run('a', async () => 'next')
    stop.abort(new Error('gone'))
    await expect(gone).rejects.toThrow('gone')
    first.end()
    await expect(failing).rejects.toThrow('failed')
    expect(await next).toBe('next')
    await expect(turnstile.run('a', async () => 'never', AbortSignal.abort(new Error('before')))).rejects.toThrow(
      'before',
    )
  })

  test('never lets in too many, and everybody in the end', async () => {
    const keys = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(
        keys,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        async (line, limit, perKey) => {
          const turnstile = new Turnstile(limit, perKey)
          const inside: string[] = []
          const visit = (key: string) => async () => {
            inside.push(key)
            expect(inside.length).toBeLessThanOrEqual(limit)
            expect(inside.filter((each) => each === key).length).toBeLessThanOrEqual(perKey)
            await Promise.resolve()
            inside.splice(inside.indexOf(key), 1)
          }
          await Promise.all(line.map((key) => turnstile.run(key, visit(key))))
          expect(inside).toEqual([])
        },
      ),
    )
  })
})
