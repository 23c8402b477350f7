/** The cells of a file in RFC 4180's form, as spreadsheets save it: also with semicolons or tabs, and with a byte order mark. */
export const readCsv = (text: string): string[][] => {
  const source = text.replace(/^\uFEFF/, '')
  const separator = [',', ';', '\t'].find((one) => source.split(/\r?\n/, 1)[0]?.includes(one)) ?? ','
  const rows: string[][] = [[]]
  let cell = ''
  let quoted = false
  const endCell = () => {
    rows.at(-1)?.push(cell)
    cell = ''
  }
  for (let at = 0; at < source.length; at++) {
    const char = source[at] ?? ''
    if (quoted && char === '"' && source[at + 1] === '"') cell += source[++at]
    else if (char === '"') quoted = !quoted
    else if (!quoted && char === separator) endCell()
    else if (!quoted && char === '\n') {
      endCell()
      rows.push([])
    } else if (quoted || char !== '\r') cell += char
  }
  endCell()
  return rows.filter((row) => row.some((one) => one !== ''))
}

/** The cells of one column, by its name in the first row; null when there is no such column. */
export const columnOf = (rows: readonly (readonly string[])[], name: string): string[] | null => {
  const [header, ...rest] = rows
  const index = header?.indexOf(name) ?? -1
  return index < 0 ? null : rest.map((row) => row[index] ?? '').filter((value) => value !== '')
}
