import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const DOCS = join(import.meta.dirname, '../../docs')
const read = (file: string) => readFileSync(join(DOCS, file), 'utf8')

const [, , ...rows] = read('lessons.md')
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.slice(2, -2).split(' | '))

it('every defect of the predecessors has its row', () => {
  expect(rows).toHaveLength(42)
  expect(new Set(rows.map(([defect]) => defect)).size).toBe(42)
})

const LINK = /^\[(?<title>.+)\]\((?<file>\.\.\/test\/\S+)\)$/
const proofs = rows.map(([defect = '', kept = '', proof = '']) => {
  const { title = '', file = '' } = LINK.exec(proof)?.groups ?? {}
  return { defect, kept, proof, title, file }
})

it.each(proofs.filter(({ kept }) => kept !== 'cannot arise'))('$defect', ({ title, file }) => {
  expect(title).not.toBe('')
  expect(existsSync(join(DOCS, file))).toBe(true)
  // The rest of a title may be made of a table.
  expect(read(file)).toContain(title)
})

it.each(proofs.filter(({ kept }) => kept === 'cannot arise'))('$defect: why it cannot arise', ({ proof }) => {
  expect(proof.length).toBeGreaterThan(40)
})
