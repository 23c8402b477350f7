import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { completionScript, placesOf, SHELLS, type Shell } from '../../src/cli/completion.ts'
import { newProgram } from '../../src/cli/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'wearon-completion-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const places = placesOf(newProgram())
const scriptFor = (shell: Shell): string => {
  const file = join(folder, shell)
  writeFileSync(file, completionScript(shell, 'wearon', places))
  return file
}

/** What the shell itself offers behind the words; the last one is being typed. */
const offers: Readonly<Record<Shell, (line: string) => string>> = {
  bash: (line) => `. ${scriptFor('bash')}
    COMP_WORDS=(${line.replace(/ $/, " ''")}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _wearon; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // The function runs as zsh's own wrapper for functions of bash would run it.
  zsh: (line) => `autoload -U +X compinit && compinit -u -d ${join(folder, 'dump')} && . ${scriptFor('zsh')}
    emulate -L ksh; COMP_WORDS=(${line.replace(/ $/, " ''")}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _wearon; printf '%s\\n' "\${COMPREPLY[@]}"`,
  fish: (line) => `source ${scriptFor('fish')}; complete -C '${line}' | cut -f1`,
}

const hasShell = (shell: Shell) => spawnSync(shell, ['-c', 'true']).status === 0

describe.each(SHELLS.filter(hasShell))('completion in %s', (shell) => {
  /** What begins as typed: zsh itself leaves out the others later. */
  const typed = (line: string): string[] => {
    const { stdout, stderr } = spawnSync(shell, ['-c', offers[shell](line)], {
      encoding: 'utf8',
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder },
    })
    expect(stderr).toBe('')
    const begun = line.split(' ').at(-1) ?? ''
    return stdout.split('\n').filter((one) => one !== '' && one.startsWith(begun))
  }

  it('offers commands, and those below them', () => {
    expect(typed('wearon ')).toEqual(expect.arrayContaining(['start', 'doctor', 'sessions', 'dead', 'replay']))
    expect(typed('wearon se')).toEqual(['sessions'])
    expect(typed('wearon dead ').toSorted()).toEqual(['discard', 'list', 'replay', 'show'])
    expect(typed('wearon dead re')).toEqual(['replay'])
  })

  it('offers the options of a command, also behind its arguments and other options', () => {
    expect(typed('wearon dead replay --f')).toContain('--force')
    expect(typed('wearon dead replay LETTER --f')).toContain('--force')
    expect(typed('wearon sessions list --limit 5 --te')).toContain('--tenant')
    expect(typed('wearon dead list --f')).not.toContain('--force')
  })

  it('offers the values that an option takes', () => {
    expect(typed('wearon dead list --state ').toSorted()).toEqual(['discarded', 'replayed', 'waiting'])
    expect(typed('wearon dead list --state d')).toEqual(['discarded'])
  })
})

it('is tried in a real shell', () => {
  expect(hasShell('bash')).toBe(true)
})
