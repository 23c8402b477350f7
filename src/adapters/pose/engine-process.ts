import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import {
  type Asked,
  type Backend,
  type EngineOptions,
  type Estimated,
  FromEngine,
  PIXELS_FD,
  type ToEngine,
} from './messages.ts'

const ENTRY = join(import.meta.dirname, 'engine/main.ts')
/** The engine's own objects are few; pictures and networks lie outside of this heap. */
const HEAP_MAX_MB = 256
/** Half of what young objects move between. Node's own choice doubles at some photo, and keeps the 64 MB; the work is the same. */
const SEMI_SPACE_MAX_MB = 8
/** What is kept of what a process says, for the reason of its end. */
const SAID_MAX = 500

/** Nothing of our environment, least of all its secrets. One thread for each process; TensorFlow says only what is wrong. */
const ENVIRONMENT = { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1', TF_CPP_MIN_LOG_LEVEL: '2' }

/** The process ended, or was ended: nothing more comes from it. */
class EngineEnded extends Error {
  override readonly name = 'EngineEnded'
}

/** A child process with one engine in it, which takes one picture at a time. */
export class EngineProcess {
  /** Which engine runs, once its self-test passed. @throws EngineEnded */
  readonly ready: Promise<Backend>
  /** Why the process ended, once it has; never rejects. */
  readonly ended: Promise<string>
  readonly #child: ChildProcess
  /** Of a process that was started at all. */
  #pixels: Writable | null = null
  #reason: string | null = null
  #said = ''
  #answer: PromiseWithResolvers<Estimated> | null = null
  readonly #ready = Promise.withResolvers<Backend>()

  constructor(options: EngineOptions) {
    this.#child = fork(ENTRY, [JSON.stringify(options)], {
      serialization: 'advanced',
      env: ENVIRONMENT,
      execArgv: [`--max-old-space-size=${HEAP_MAX_MB}`, `--max-semi-space-size=${SEMI_SPACE_MAX_MB}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc', 'pipe'],
    })
    this.ready = this.#ready.promise
    this.ended = new Promise((resolve) => {
      const end = (how: string) => resolve(this.#hasEnded(how))
      this.#child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`))
      this.#child.once('error', (error) => end(error.message))
    })
    this.#child.on('message', (message) => this.#take(message))
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-SAID_MAX)
    })
  }

  /** For whoever must tell it from others; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** @throws EngineEnded when the process ends before it has answered. */
  estimate({ picture: { rgb, width, height }, part }: Asked): Promise<Estimated> {
    this.#answer = Promise.withResolvers<Estimated>()
    const asked: ToEngine = { width, height, part }
    this.#child.send(asked, (error) => error && this.end(error.message))
    this.#pixels?.write(rgb)
    return this.#answer.promise
  }

  /** Ends the process at once; the first reason stands. */
  end(reason: string): void {
    this.#reason ??= reason
    this.#child.kill('SIGKILL')
  }

  #take(message: unknown): void {
    const parsed = FromEngine.safeParse(message)
    if (!parsed.success) return this.end('its answer is none: not every value is a number')
    switch (parsed.data.kind) {
      case 'ready':
        this.#pixels = pipeTo(this.#child)
        return this.#ready.resolve(parsed.data.backend)
      case 'estimated':
        return this.#answer?.resolve(parsed.data.estimated)
      case 'ends':
        return this.end(parsed.data.reason)
    }
  }

  #hasEnded(how: string): string {
    const reason = this.#reason ?? [how, this.#said.trim()].filter((text) => text !== '').join(': ')
    // Nobody may be waiting for either.
    for (const waiting of [this.#ready, this.#answer]) {
      waiting?.promise.catch(() => {})
      waiting?.reject(new EngineEnded(reason))
    }
    return reason
  }
}

const pipeTo = (child: ChildProcess): Writable => {
  const pipe = child.stdio[PIXELS_FD]
  if (!(pipe instanceof Writable)) throw new TypeError('an engine process has no pipe for pixels')
  // The process's end says what is wrong with the pipe.
  return pipe.on('error', () => {})
}
