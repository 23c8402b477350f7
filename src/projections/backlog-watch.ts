import type { Environment } from '../machines/ports/environment.ts'
import type { PartitionBacklog } from '../machines/runtime/partition-status.ts'
import type { Archive } from './store.ts'

/** Whoever holds partitions and can say what waits in them: a worker. */
export interface HoldsPartitions {
  backlogs(): Promise<readonly PartitionBacklog[]>
}

/** Shows, for each partition that this process holds, what its owner has not read and what the archive has not. */
export class BacklogWatch {
  readonly #worker: HoldsPartitions
  readonly #archive: Pick<Archive, 'heads'>
  readonly #env: Pick<Environment, 'meter'>
  #shown: readonly number[] = []

  constructor(worker: HoldsPartitions, archive: Pick<Archive, 'heads'>, env: Pick<Environment, 'meter'>) {
    this.#worker = worker
    this.#archive = archive
    this.#env = env
  }

  async look(): Promise<void> {
    // Read before the journals: the archive is never ahead of them.
    const archived = await this.#archive.heads()
    const backlogs = await this.#worker.backlogs()
    const held = new Set(backlogs.map(({ partition }) => partition))
    for (const { partition, unread, head } of backlogs)
      this.#show(partition, unread, Math.max(0, head - (archived.get(partition)?.number ?? 0)))
    // Its next owner shows it now.
    for (const partition of this.#shown) if (!held.has(partition)) this.#show(partition, 0, 0)
    this.#shown = [...held]
  }

  /** What is not known now stays as it was. */
  #show(partition: number, unread: number | null, unarchived: number): void {
    const label = { partition: String(partition) }
    if (unread !== null) this.#env.meter.gauge('partition_unread_messages', unread, label)
    this.#env.meter.gauge('partition_unarchived_steps', unarchived, label)
  }
}
