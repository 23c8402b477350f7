import { describe, expect, it } from 'vitest'
import { columnOf, readCsv } from '../../src/cli/csv.ts'

describe('a CSV as a spreadsheet saves it', () => {
  it.each([
    ['with commas', 'session_id,why\r\nA,x\r\nB,"y, z"\r\n'],
    ['with semicolons and a byte order mark', '\uFEFFsession_id;why\nA;x\nB;"y, z"'],
    ['with tabs and empty lines', 'session_id\twhy\n\nA\tx\n\t\nB\ty, z\n'],
    ['with every cell in quotes', '"session_id","why"\n"A","x"\n"B","y, z"\n'],
  ])('%s', (_, text) => {
    expect(columnOf(readCsv(text), 'session_id')).toEqual(['A', 'B'])
    expect(columnOf(readCsv(text), 'why')).toEqual(['x', 'y, z'])
  })

  it('may hold quotes and line ends in a cell', () => {
    expect(readCsv('a\n"say ""hi""\r\nthere"')).toEqual([['a'], ['say "hi"\r\nthere']])
  })

  it('without the column that is asked for has none', () => {
    expect(columnOf(readCsv('id\n1'), 'session_id')).toBeNull()
    expect(columnOf(readCsv(''), 'session_id')).toBeNull()
  })
})
