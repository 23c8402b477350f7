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

it.each(rows)('%s', (_defect, kept, proof = '') => {
  const { title, file } = /^\[(?<title>.+)\]\((?<file>\.\.\/test\/\S+)\)$/.exec(proof)?.groups ?? {}
  if (title === undefined || file === undefined) {
    expect([kept, proof.length > 40]).toEqual(['cannot arise', true])
    return
  }
  expect(existsSync(join(DOCS, file))).toBe(true)
  // The end of a title may stand on a line of its own, or be made of a table.
  expect(read(file)).toContain(title)
})
