import { setTimeout as sleep } from 'node:timers/promises'
import { assertNever } from '../src/events/assert-never.ts'
import { type Act, SLOTS } from './acts.ts'
import type { Fleet } from './fleet.ts'
import type { Ownership } from './ownership.ts'
import type { Servers } from './servers.ts'
import type { World } from './world.ts'

/** Far beyond what is promised: a partition that does not move by then does not come back. */
const WHOLE_MS = 60_000
const LOOK_MS = 20
/** Several times what a lease lasts without a beat. */
const HELD_MS = 20_000
/** An owner that asks for nothing notices with its next beat that the log went back. */
const NOTICE_MS = 3_000

/** What became of one act. */
export interface Played {
  readonly act: Act
  /** ms since the Unix epoch. */
  readonly at: number
  /** For each partition of the process that was killed or stopped: ms until it moved under another one. */
  readonly recoveriesMs: readonly number[]
  /** Until all partitions moved again, ms; null when they did not. */
  readonly wholeAfterMs: number | null
}

/** Where the acts are played: one after the other, each until everything works again. */
export class Stage {
  /** The moment at which the log lost its last second, ms since the Unix epoch; null when it never did. */
  lostAt: number | null = null
  /** Partitions that did not come back within a minute. */
  readonly stuck: string[] = []
  readonly #servers: Servers
  readonly #fleet: Fleet
  readonly #ownership: Ownership
  readonly #partitions: number

  constructor({ servers, fleet, ownership }: Pick<World, 'servers' | 'fleet' | 'ownership'>, partitions: number) {
    this.#servers = servers
    this.#fleet = fleet
    this.#ownership = ownership
    this.#partitions = partitions
  }

  async play(act: Act): Promise<Played> {
    // Otherwise it may meet a process that has nothing to lose yet.
    await this.even()
    const at = Date.now()
    const recoveriesMs = await this.#do(act)
    const whole = await this.whole()
    if (!whole) this.stuck.push(...this.still())
    return { act, at, recoveriesMs, wholeAfterMs: whole ? Date.now() - at : null }
  }

  /** Resolves with true as soon as every partition moves under a process that works, or with false after a minute. */
  whole(): Promise<boolean> {
    return within(WHOLE_MS, () => this.still().length === 0)
  }

  /** Resolves with true as soon as the processes that work hold equal shares, give or take one. */
  even(): Promise<boolean> {
    return within(WHOLE_MS, () => {
      const shares = this.#fleet.lives.map((life) => this.#ownership.heldBy(life).length)
      return Math.max(...shares) - Math.min(...shares) <= 1 && this.still().length === 0
    })
  }

  /** What keeps the system from being whole, a line for each partition. */
  still(): string[] {
    const lives = new Set(this.#fleet.lives)
    return this.#allPartitions().flatMap((partition) => {
      const holding = this.#ownership.of(partition)
      if (holding === undefined) return [`partition ${partition} is nobody's`]
      if (!lives.has(holding.life)) return [`partition ${partition} is of ${holding.owner}, which does not work`]
      return holding.moving ? [] : [`partition ${partition} does not move under ${holding.owner}`]
    })
  }

  async #do(act: Act): Promise<number[]> {
    switch (act.kind) {
      case 'kill':
        return this.#kill(act.slot, act.downMs)
      case 'freeze':
        return this.#freeze(act.slot, act.forMs)
      case 'cut':
        this.#servers.proxies(act.slot)[act.way].cut()
        return []
      case 'hold':
        await this.#hold(act.slot, act.way)
        return []
      case 'restart':
        await (act.server === 'log'
          ? this.#servers.restartLog(act.graceful)
          : this.#servers.restartDatabase(act.graceful))
        return []
      case 'lose last second':
        await this.#lose()
        return []
      case 'roll':
        await this.#roll()
        return []
      case 'join':
        await this.#fleet.start(act.slot)
        return []
      case 'leave':
        await this.#fleet.stop(act.slot)
        return []
      default:
        return assertNever(act)
    }
  }

  async #kill(slot: number, downMs: number): Promise<number[]> {
    const life = this.#fleet.life(slot)
    const partitions = this.#ownership.heldBy(life)
    const at = Date.now()
    await this.#fleet.kill(slot)
    await sleep(downMs)
    const [recoveries] = await Promise.all([this.#recoveries(partitions, at, life), this.#fleet.start(slot)])
    return recoveries
  }

  async #freeze(slot: number, forMs: number): Promise<number[]> {
    const life = this.#fleet.life(slot)
    const partitions = this.#ownership.heldBy(life)
    const at = Date.now()
    this.#fleet.freeze(slot)
    const [recoveries] = await Promise.all([this.#recoveries(partitions, at, life), sleep(forMs)])
    this.#fleet.thaw(slot)
    return recoveries
  }

  /**
   * Until nothing is left under the grants that it had, or until it must have noticed: a pool of connections goes on with those
   * that it makes anew. Whether its partitions move is seen afterwards, and whether all sessions end.
   */
  async #hold(slot: number, way: 'log' | 'database'): Promise<void> {
    const life = this.#fleet.life(slot)
    const before = this.#ownership.heldBy(life).map((partition) => ({
      partition,
      owner: this.#ownership.of(partition)?.owner,
    }))
    this.#servers.proxies(slot)[way].hold()
    await within(HELD_MS, () => before.every(({ partition, owner }) => this.#ownership.of(partition)?.owner !== owner))
  }

  async #lose(): Promise<void> {
    await this.#servers.loseLastSecond()
    this.lostAt = Date.now()
    await sleep(NOTICE_MS)
  }

  async #roll(): Promise<void> {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (!this.#fleet.isThere(slot)) continue
      await this.#fleet.stop(slot)
      await this.#fleet.start(slot)
    }
  }

  async #recoveries(partitions: readonly number[], at: number, life: string): Promise<number[]> {
    const moved = () => partitions.map((partition) => this.#ownership.movedSince(partition, at, life))
    await within(WHOLE_MS, () => moved().every((one) => one !== null))
    return moved().map((one) => (one === null ? Number.POSITIVE_INFINITY : one - at))
  }

  #allPartitions(): number[] {
    return Array.from({ length: this.#partitions }, (_, partition) => partition)
  }
}

/** Waits for a condition; answers whether it came true in time. */
export const within = async (ms: number, condition: () => boolean | Promise<boolean>): Promise<boolean> => {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(LOOK_MS)) {
    if (await condition()) return true
  }
  return false
}
