import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { completionScript, placesOf, SHELLS } from '../../src/cli/completion.ts'
import { newProgram } from '../../src/cli/program.ts'
import { progressBar } from '../../src/cli/progress.ts'

const pathOf = (command: Command): string =>
  command.parent === null ? '' : `${pathOf(command.parent)} ${command.name()}`.trim()
const below = (command: Command): Command[] => command.commands.flatMap((one) => [one, ...below(one)])
const all = below(newProgram()).map((command): [string, Command] => [pathOf(command), command])
const leaves = all.filter(([, command]) => command.commands.length === 0)

const PROMISED =
  'start, doctor, migrate, publish, sim, chart, replay, reconcile, completion, sessions show, sessions list, sessions replay, ' +
  'projections status, projections rebuild, dead list, dead show, dead replay, dead discard, refunds list, pause, resume, handback'

describe('every command', () => {
  it.each(all)('%s: says in its help what it does, and what its options are', (path, command) => {
    const help = command.helpInformation()
    expect(help).toContain(`Usage: wearon ${path}`)
    expect(command.description()).toMatch(/^\S.{8,}[^.]$/)
    for (const option of command.options) {
      expect(help).toContain(option.long)
      expect(option.description).not.toBe('')
    }
  })

  it.each(leaves)('%s: answers programs in JSON', (_, command) => {
    expect(command.options.map(({ long }) => long)).toContain('--json')
  })

  it('is there: what operators are promised', () => {
    const paths = leaves.map(([path]) => path)
    for (const promised of PROMISED.split(', ')) expect(paths).toContain(promised)
  })
})

describe('completion', () => {
  const places = placesOf(newProgram())

  it('knows every place of the tree, and the values that are listed', () => {
    expect(places.map(({ path }) => path)).toEqual(['', ...all.map(([path]) => path)])
    const scope = places.find(({ path }) => path === 'keys create')?.options.find(({ name }) => name === '--scope')
    expect(scope).toMatchObject({ takesValue: true, choices: expect.arrayContaining(['finance']) as unknown })
  })

  it.each(SHELLS)('names every command and option in the script for %s', (shell) => {
    const script = completionScript(shell, 'wearon', places)
    for (const { commands, options } of places) {
      for (const { name } of commands) expect(script).toContain(name)
      for (const { name } of options) expect(script).toContain(name.replace(/^--/, ''))
    }
  })
})

describe('a bar of progress', () => {
  const drawn = (
    isTTY: boolean,
    steps: readonly [atMs: number, done: number, total: number | null][],
    columns = 80,
  ) => {
    let text = ''
    let nowMs = 0
    const bar = progressBar('facts', { isTTY, columns, write: (more) => (text += more) }, () => nowMs)
    for (const [atMs, done, total] of steps) {
      nowMs = atMs
      bar.at(done, total)
    }
    bar.end()
    return text.split('\r\u001B[2K').slice(1)
  }

  it('says how far the work is and what is left, and goes away', () => {
    expect(
      drawn(true, [
        [0, 0, 2_000],
        [1_000, 500, 2_000],
        [1_050, 501, 2_000],
        [4_000, 2_000, 2_000],
      ]),
    ).toEqual([
      '........................ 0%  0 of 2,000 facts',
      '######.................. 25%  500 of 2,000 facts, 3.00 s left',
      '######################## 100%  2,000 of 2,000 facts, 0.00 s left',
      '',
    ])
    expect(drawn(true, [[0, 1_234, null]])).toEqual(['1,234 facts', ''])
    expect(drawn(true, [[0, 1_234, null]], 8)).toEqual(['1,234 f', ''])
  })

  it('writes nothing where nobody watches', () => {
    expect(drawn(false, [[0, 1, 2]])).toEqual([])
  })
})
