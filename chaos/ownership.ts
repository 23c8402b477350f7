import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { Told } from './messages.ts'

/** Who has a partition, as far as the processes have told. */
export interface Holding {
  readonly life: string
  readonly owner: string
  readonly epoch: number
  moving: boolean
}

export type Committed = Extract<Told, { told: 'committed' }> & { readonly life: string }

/** Hears the processes: who owns what, since when it moves, and what was committed. */
export class Ownership {
  readonly committed: Committed[] = []
  /** How many partitions each life had, whenever that changed. `at`: ms since the Unix epoch. */
  readonly history: { readonly at: number; readonly life: string; readonly partitions: number }[] = []
  /** All grants that have not ended: a process that is late tells of its own after the one that took its place. */
  readonly #grants = new Map<number, Holding[]>()
  readonly #endedAt = new Map<string, number>()
  readonly #moves: { readonly partition: number; readonly life: string; readonly at: number }[] = []
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer((socket) => this.#hear(socket))

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  of(partition: number): Holding | undefined {
    const grants = this.#grants.get(partition) ?? []
    return grants.toSorted((one, other) => one.epoch - other.epoch).at(-1)
  }

  heldBy(life: string): number[] {
    return [...this.#grants.keys()].filter((partition) => this.of(partition)?.life === life)
  }

  /** When the work under this grant ended, as its process told; undefined while it goes on, or when the process died. */
  endedAt(owner: string): number | undefined {
    return this.#endedAt.get(owner)
  }

  /** When the partition first moved under another life after this moment. */
  movedSince(partition: number, at: number, exceptLife: string): number | null {
    const move = this.#moves.find((one) => one.partition === partition && one.at > at && one.life !== exceptLife)
    return move?.at ?? null
  }

  #hear(socket: Socket): void {
    this.#sockets.add(socket)
    let life = ''
    // A killed process resets its connection.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#sockets.delete(socket)
      this.#forget(life)
    })
    createInterface({ input: socket })
      .on('line', (line) => {
        const told = parsed(line)
        if (told?.told === 'born') life = told.life
        else if (told !== null) this.#note(told, life)
      })
      .on('error', () => undefined)
  }

  #note(told: Exclude<Told, { told: 'born' }>, life: string): void {
    const at = Date.now()
    const before = this.of(told.partition)?.life
    const grants = this.#grants.get(told.partition) ?? []
    switch (told.told) {
      case 'committed':
        this.committed.push({ ...told, life })
        return
      case 'granted':
        this.#grants.set(told.partition, [...grants, { life, owner: told.owner, epoch: epochOf(told), moving: false }])
        break
      case 'moving':
        this.#moves.push({ partition: told.partition, life, at })
        for (const grant of grants) if (grant.owner === told.owner) grant.moving = true
        return
      case 'ended':
        this.#endedAt.set(told.owner, at)
        this.#grants.set(
          told.partition,
          grants.filter(({ owner }) => owner !== told.owner),
        )
    }
    this.#remember(life)
    // It stands still, and does not say that the partition was taken from it.
    if (before !== undefined && before !== life) this.#remember(before)
  }

  #forget(life: string): void {
    for (const [partition, grants] of this.#grants)
      this.#grants.set(
        partition,
        grants.filter((grant) => grant.life !== life),
      )
    this.#remember(life)
  }

  #remember(life: string): void {
    this.history.push({ at: Date.now(), life, partitions: this.heldBy(life).length })
  }
}

/** An owner's name ends with it: `<life>/<partition>/<epoch>`. */
const epochOf = ({ owner }: { readonly owner: string }): number => Number(owner.split('/').at(-1))

/** Null for a line that a kill cut off. */
const parsed = (line: string): Told | null => {
  try {
    return Told.parse(JSON.parse(line))
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
