import { spawnSync } from 'node:child_process'
import { cp, mkdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { execForm, type Instruction } from './dockerfile.ts'

const PROJECT = join(import.meta.dirname, '../..')
const RUN_MAX_MS = 600_000
/** What this machine takes to reach registries. */
const NETWORK = /^(https?_proxy|no_proxy|node_extra_ca_certs|ssl_cert_file|npm_config_\w+)$/i
/** The image's user `node`. */
const NODE_UID = 1000

/** What a stage has come to: a folder that stands for its file system, and how it is to be started. */
export class Stage {
  readonly root: string
  readonly env: Record<string, string>
  cwd = '/'
  user = 'root'
  health: readonly string[] = []
  command: readonly string[] = []
  readonly #others: ReadonlyMap<string, Stage>
  readonly #allowed: readonly string[]

  constructor(
    root: string,
    env: Readonly<Record<string, string>>,
    others: ReadonlyMap<string, Stage>,
    allowed: readonly string[],
  ) {
    this.root = root
    this.env = { ...env }
    this.#others = others
    this.#allowed = allowed
  }

  /** Carries an instruction out. @throws Error for one that failed, or that we do not know. */
  async take({ word, options, rest }: Instruction): Promise<void> {
    if (word === 'WORKDIR') this.cwd = rest
    else if (word === 'ENV') this.#set(rest)
    else if (word === 'COPY') await this.#copy(rest.split(/\s+/), options['from'])
    else if (word === 'RUN') this.#run(rest)
    else if (word === 'USER') this.user = rest
    else if (word === 'HEALTHCHECK') this.health = execForm(rest)
    else if (word === 'CMD') this.command = execForm(rest)
    else if (!['VOLUME', 'EXPOSE', 'STOPSIGNAL'].includes(word)) throw new Error(`${word} is not played here`)
  }

  /** Where a path of the image lies on this machine. */
  at(path: string): string {
    return join(this.root, path.startsWith('/') ? path : join(this.cwd, path))
  }

  /** The environment of its processes; paths of the image as they are on this machine, and the Node that runs us. */
  environment(): Record<string, string> {
    const here = Object.entries(this.env).map(([name, value]) => [name, this.#inPlace(value)])
    const { PATH = '', HOME = '' } = process.env
    const network = Object.entries(process.env).filter(([name]) => NETWORK.test(name))
    return {
      ...(Object.fromEntries([...network, ...here]) as Record<string, string>),
      PATH: `${dirname(process.execPath)}:${PATH}`,
      HOME,
    }
  }

  /** Root may become the image's user; anybody else stays who they are. */
  who(): { uid?: number; gid?: number } {
    return this.user === 'node' && process.getuid?.() === 0 ? { uid: NODE_UID, gid: NODE_UID } : {}
  }

  #set(rest: string): void {
    const [name = '', ...value] = rest.split('=')
    this.env[name] = value.join('=')
  }

  async #copy(words: readonly string[], from: string | undefined): Promise<void> {
    const target = words.at(-1) ?? ''
    for (const source of words.slice(0, -1)) {
      const path = from === undefined ? this.#context(source) : this.#others.get(from)?.at(source)
      if (path === undefined) throw new Error(`there is no stage ${from}`)
      const into = target.endsWith('/') ? join(this.at(target), basename(source)) : this.at(target)
      await mkdir(dirname(into), { recursive: true })
      await cp(path, into, { recursive: true, verbatimSymlinks: true })
    }
  }

  #context(source: string): string {
    const isIn = this.#allowed.some((name) => source === name || source.startsWith(`${name}/`))
    if (!isIn) throw new Error(`.dockerignore keeps ${source} out`)
    return join(PROJECT, source)
  }

  #run(command: string): void {
    const { status, signal } = spawnSync('sh', ['-euc', this.#inPlace(command)], {
      cwd: this.at('.'),
      env: this.environment(),
      stdio: 'inherit',
      timeout: RUN_MAX_MS,
      ...this.who(),
    })
    if (status !== 0) throw new Error(`${command} ended with ${signal ?? status}`)
  }

  #inPlace(text: string): string {
    return text
      .replaceAll(/(^| )\/(app|data)\b/g, `$1${this.root}/$2`)
      .replaceAll('node:node', `${NODE_UID}:${NODE_UID}`)
  }
}
