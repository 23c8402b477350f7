import type { Command, Option } from 'commander'
import { assertNever } from '../events/assert-never.ts'

/** One place in the tree of commands: what may follow it. */
export interface Place {
  /** The words that lead to it, without the program's name: `dead list`; empty for the program itself. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly {
    readonly name: string
    readonly description: string
    readonly takesValue: boolean
    /** What its value may be; empty when anything. */
    readonly choices: readonly string[]
  }[]
}

/** Every place of the tree, the program first. */
export const placesOf = (program: Command): Place[] => placesBelow(program, [])

const placesBelow = (command: Command, path: readonly string[]): Place[] => [
  {
    path: path.join(' '),
    commands: command.commands.map((one) => ({ name: one.name(), description: one.description() })),
    options: command.options.filter(({ hidden }) => !hidden).map(optionOf),
  },
  ...command.commands.flatMap((one) => placesBelow(one, [...path, one.name()])),
]

const optionOf = (option: Option): Place['options'][number] => ({
  name: option.long ?? option.flags,
  description: option.description,
  takesValue: option.required || option.optional,
  choices: option.argChoices ?? [],
})

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** A script that makes a shell complete the program's commands, options and the values that are listed. */
export const completionScript = (shell: Shell, program: string, places: readonly Place[]): string => {
  switch (shell) {
    case 'bash':
      return bashScript(program, places)
    case 'zsh':
      return `#compdef ${program}\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(program, places)}`
    case 'fish':
      return fishScript(program, places)
    default:
      return assertNever(shell)
  }
}

/**
 * One `case` over the words so far. What is no option and no value of one leads on to a command; a word that is none of them is
 * an argument.
 */
const bashScript = (
  program: string,
  places: readonly Place[],
): string => `# ${program} completion bash > FILE, and source it
_${program}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path='' value='' word i
  local commands options takes
  COMPREPLY=()
  for ((i = 1; i <= COMP_CWORD; i++)); do
    case "$path" in
${places.map(bashPlace).join('\n')}
    esac
    ((i < COMP_CWORD)) || break
    word=\${COMP_WORDS[i]}
    if [[ -n $value ]]; then value=''
    elif [[ " $takes " == *" $word "* ]]; then value=$word
    elif [[ $word != -* && " $commands " == *" $word "* ]]; then path="\${path:+$path }$word"
    fi
  done
  if [[ -n $value ]]; then
    case "$path $value" in
${places.flatMap(bashChoices).join('\n')}
      *) COMPREPLY=($(compgen -f -- "$cur")) ;;
    esac
  elif [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$cur"))
  else COMPREPLY=($(compgen -W "$commands" -- "$cur"))
  fi
}
complete -o filenames -F _${program} ${program}`

const bashPlace = ({ path, commands, options }: Place): string => {
  const names = commands.map(({ name }) => name).join(' ')
  const all = [...options.map(({ name }) => name), '--help'].join(' ')
  const takes = options.filter(({ takesValue }) => takesValue).map(({ name }) => name)
  return `      '${path}') commands='${names}' options='${all}' takes='${takes.join(' ')}' ;;`
}

const bashChoices = ({ path, options }: Place): string[] =>
  options
    .filter(({ choices }) => choices.length > 0)
    .map(
      ({ name, choices }) => `      '${path} ${name}') COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$cur")) ;;`,
    )

const fishScript = (
  program: string,
  places: readonly Place[],
): string => `# ${program} completion fish > ~/.config/fish/completions/${program}.fish
function __${program}_at
  set -l words (commandline -opc | string match -v -- '-*')
  set -l path (string join ' ' -- $words[2..])
  test "$path" = "$argv"
end
function __${program}_in
  set -l words (commandline -opc | string match -v -- '-*')
  string match -q -- "$argv *" (string join ' ' -- $words[2..])' '
end
${places.flatMap((place) => fishPlace(program, place)).join('\n')}`

const fishPlace = (program: string, { path, commands, options }: Place): string[] => [
  ...commands.map(
    ({ name, description }) =>
      `complete -c ${program} -f -n '__${program}_at ${path}' -a ${name} -d ${quoted(description)}`,
  ),
  ...options.map(({ name, description, takesValue, choices }) => {
    const value = choices.length > 0 ? ` -x -a '${choices.join(' ')}'` : takesValue ? ' -r' : ''
    const long = name.replace(/^--/, '')
    return `complete -c ${program} -n '__${program}_in ${path}' -l ${long}${value} -d ${quoted(description)}`
  }),
]

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
