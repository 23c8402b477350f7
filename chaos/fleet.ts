import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { announced, end, type Running, run } from '../test/support/server-process.ts'

/** A supervisor starts a process again this long after it ended by itself. */
const SUPERVISED_MS = 500
/** A process that was asked to stop has this long: `SIGTERM` leaves 60 s in production. */
const STOP_MS = 60_000
const SETTINGS = {
  HOST: '127.0.0.1',
  PORT: '0',
  PUBLIC_URL: 'http://chaos.test',
  WORKER_CONCURRENCY: '64',
  REFUND_CONCURRENCY: '8',
  OPENAI_MAX_RETRIES: '20',
  LOG_LEVEL: 'info',
  NODE_OPTIONS: '--max-old-space-size=160',
}

export interface FleetOptions {
  /** For objects and logs. */
  readonly folder: string
  readonly env: (slot: number) => Record<string, string>
  /** Where a process tells its life, and asks for images. */
  readonly harnessPort: number
  readonly provider: string
  /** How late the ledger's answers come, ms. */
  readonly refundAnswerMs: number
}

interface Member {
  readonly life: string
  readonly running: Running
  url: string | null
  frozen: boolean
  /** It was told to end: nobody starts it again. */
  leaving: boolean
}

/** The processes of one run, by slot; each start in a slot is a life of its own. */
export class Fleet {
  /** When each life stood still or had ended, ms since the Unix epoch. */
  readonly silences: { readonly life: string; readonly from: number; to: number }[] = []
  /** What ended although nobody had told it to. */
  readonly exits: string[] = []
  readonly #options: FleetOptions
  readonly #members = new Map<number, Member>()
  readonly #all: { readonly life: string; readonly running: Running }[] = []
  #asked = 0

  constructor(options: FleetOptions) {
    this.#options = options
  }

  /** Resolves when it answers HTTP. */
  async start(slot: number): Promise<void> {
    const { folder, env, harnessPort, provider, refundAnswerMs } = this.#options
    const life = `w${slot}.${this.#all.filter((one) => one.life.startsWith(`w${slot}.`)).length + 1}`
    const settings = { DATA_DIR: folder, ...SETTINGS, ...env(slot) }
    const args = [`${harnessPort}`, provider, life, `${refundAnswerMs}`]
    const running = run('chaos/worker.ts', args, settings)
    const member: Member = { life, running, url: null, frozen: false, leaving: false }
    this.#members.set(slot, member)
    this.#all.push({ life, running })
    void running.ended.then((ended) => this.#ended(slot, member, ended.code ?? ended.signal))
    try {
      member.url = await announced(running)
    } catch (error) {
      // Its end was noted, and it is started again.
      if (member.leaving) throw error
    }
  }

  life(slot: number): string {
    return this.#member(slot).life
  }

  isThere(slot: number): boolean {
    return this.#members.has(slot)
  }

  /** Lives that work, as far as the harness has done nothing to them. */
  get lives(): string[] {
    return [...this.#members.values()].filter(({ frozen }) => !frozen).map(({ life }) => life)
  }

  /** Where processes answer that work. */
  get urls(): string[] {
    return [...this.#members.values()].flatMap(({ url, frozen }) => (url === null || frozen ? [] : [url]))
  }

  /** One of them, another one at each call. */
  readonly url = (): string => {
    const { urls } = this
    const url = urls[this.#asked++ % urls.length]
    if (url === undefined) throw new Error('no process answers')
    return url
  }

  async kill(slot: number): Promise<void> {
    const member = this.#leaving(slot)
    await end(member.running, 'SIGKILL')
  }

  /** Asks it to stop, and waits until it has. */
  async stop(slot: number): Promise<void> {
    const { life, running } = this.#leaving(slot)
    const late = new AbortController()
    const tooLate = sleep(STOP_MS, null, { signal: late.signal }).catch(() => null)
    const ended = await Promise.race([end(running), tooLate])
    late.abort()
    if (ended === null) running.child.kill('SIGKILL')
    if (ended?.code !== 0) this.exits.push(`${life} did not stop in order`)
  }

  freeze(slot: number): void {
    const member = this.#member(slot)
    member.frozen = true
    member.running.child.kill('SIGSTOP')
    this.silences.push({ life: member.life, from: Date.now(), to: Number.POSITIVE_INFINITY })
  }

  thaw(slot: number): void {
    const member = this.#member(slot)
    member.running.child.kill('SIGCONT')
    member.frozen = false
    const silence = this.silences.findLast(({ life }) => life === member.life)
    if (silence !== undefined) silence.to = Date.now()
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#members.keys()].map((slot) => this.stop(slot)))
  }

  /** Nothing is left running, whatever happened. */
  async killAll(): Promise<void> {
    for (const member of this.#members.values()) member.leaving = true
    for (const { running } of this.#all) running.child.kill('SIGKILL')
    await Promise.all(this.#all.map(({ running }) => running.ended))
  }

  /** Writes what every process has said, one file each. Only after their end. */
  async keepLogs(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true })
    for (const { life, running } of this.#all) {
      const { stdout, stderr } = await running.ended
      await writeFile(join(folder, `${life}.log`), stdout + stderr)
    }
  }

  #leaving(slot: number): Member {
    const member = this.#member(slot)
    member.leaving = true
    return member
  }

  #ended(slot: number, member: Member, how: number | string | null): void {
    this.silences.push({ life: member.life, from: Date.now(), to: Number.POSITIVE_INFINITY })
    if (this.#members.get(slot) === member) this.#members.delete(slot)
    if (member.leaving) return
    this.exits.push(`${member.life} ended by itself (${how})`)
    setTimeout(() => this.#startAgain(slot), SUPERVISED_MS).unref()
  }

  #startAgain(slot: number): void {
    // The run ended while it was starting.
    this.start(slot).catch(() => undefined)
  }

  #member(slot: number): Member {
    const member = this.#members.get(slot)
    if (member === undefined) throw new Error(`no process runs in slot ${slot}`)
    return member
  }
}
