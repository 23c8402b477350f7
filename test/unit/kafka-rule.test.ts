import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judge, type Mark, type Reached } from '../../src/adapters/kafka/rule.ts'

const claim = (epoch: number): Mark => ({ kind: 'claim', epoch, token: `token-${epoch}`, sequence: 0 })
const commit = (epoch: number, sequence: number): Mark => ({
  kind: 'commit',
  epoch,
  token: `token-${epoch}`,
  sequence,
})

const read = (journal: readonly Mark[], from: Reached = null): Mark[] => {
  let reached = from
  return journal.filter((mark) => {
    const next = judge(reached, mark)
    reached = next ?? reached
    return next !== null
  })
}

describe('the rule by which a journal is read', () => {
  it('voids what an owner appends after a later claim', () => {
    const journal = [claim(1), commit(1, 1), claim(2), commit(1, 2), commit(2, 1), commit(1, 3)]
    expect(read(journal)).toEqual([claim(1), commit(1, 1), claim(2), commit(2, 1)])
  })

  it('voids a repeat, a gap, an earlier claim, and what stands before the first claim', () => {
    expect(read([commit(1, 1), claim(2), commit(2, 1), commit(2, 1), commit(2, 3), claim(1), commit(1, 1)])).toEqual([
      claim(2),
      commit(2, 1),
    ])
  })

  it('begins a trimmed journal with a checkpoint', () => {
    const checkpoint: Mark = { ...commit(3, 8), kind: 'checkpoint' }
    expect(read([checkpoint, commit(3, 9)])).toEqual([checkpoint, commit(3, 9)])
    expect(read([commit(3, 9)])).toEqual([])
  })

  it('lets what counts form one chain, whatever owners append in whatever order', () => {
    const mark = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 5 }))
    const journals = fc.array(
      mark.map(([epoch, sequence]) => (sequence === 0 ? claim(epoch) : commit(epoch, sequence))),
    )
    fc.assert(
      fc.property(journals, (journal) => {
        const counted = read(journal)
        for (const [index, { epoch, sequence }] of counted.entries()) {
          const before = counted[index - 1]
          const follows =
            sequence === 0 ? epoch > (before?.epoch ?? 0) : epoch === before?.epoch && sequence === before.sequence + 1
          expect(follows).toBe(true)
        }
      }),
    )
  })
})
