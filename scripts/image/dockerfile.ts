/** One line of a Dockerfile: its instruction, the options that begin with `--`, and the rest. */
export interface Instruction {
  readonly word: string
  readonly options: Readonly<Record<string, string>>
  readonly rest: string
}

/** The instructions of a Dockerfile, in order; lines that end in a backslash go on. @throws Error for a line that is none. */
export const readDockerfile = (text: string): Instruction[] =>
  text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(instruction)

const instruction = (line: string): Instruction => {
  const { word, flags, rest } = /^(?<word>[A-Z]+)(?<flags>( +--\S+)*) +(?<rest>.+)$/.exec(line)?.groups ?? {}
  if (word === undefined || rest === undefined) throw new Error(`no instruction: ${line}`)
  const options = [...(flags ?? '').matchAll(/--([\w-]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value])
  return { word, options: Object.fromEntries(options) as Record<string, string>, rest: rest.trim() }
}

/** The words of an exec form, `["node", "src/main.ts"]`, perhaps behind `CMD`. */
export const execForm = (rest: string): string[] => JSON.parse(rest.replace(/^CMD\s+/, '')) as string[]

/** Which names at the top of the project `.dockerignore` lets in: it ignores everything and names exceptions. */
export const letIn = (dockerignore: string): string[] => {
  const lines = dockerignore.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  if (lines[0] !== '*') throw new Error('.dockerignore does not begin by ignoring everything')
  return lines.slice(1).map((line) => line.replace(/^!/, ''))
}
