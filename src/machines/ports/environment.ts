/** Time as the runtime sees it; a simulation brings its own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms`, or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The counters and distributions that the runtime feeds. Names are metric names without the `wearon_` prefix. */
export interface Meter {
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void
  /** Seconds, bytes or whatever the name's unit says. */
  observe(name: string, value: number, labels?: Readonly<Record<string, string>>): void
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void
}

/** Structured logging, pino's shape. Never a URL, a secret or a person's data. */
export interface Logger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** What is not pure: handed to everything that is tested. */
export interface Environment {
  readonly clock: Clock
  readonly meter: Meter
  readonly logger: Logger
  /** A new random id, 128 bits. */
  newId(): string
  /** Uniform in [0, 1). */
  random(): number
}
