import type { EventLog, PartitionLease } from '../machines/ports/event-log.ts'
import type { Process } from './process.ts'

type AsyncMethod = (...args: never[]) => Promise<unknown>

/** A port whose calls cross the simulated network of a process. Methods named in `local` stay as they are. */
export const overNetwork = <Port extends object>(
  process: Process,
  port: Port,
  local: readonly (keyof Port)[] = [],
): Port =>
  new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      const method = member.bind(target) as AsyncMethod
      return local.includes(name as keyof Port) ? method : (...args: never[]) => process.call(() => method(...args))
    },
  })

/** The log as a process reaches it: also its leases' calls cross the network. `wrap` may plant a fault in a lease. */
export const logOverNetwork = (
  process: Process,
  log: EventLog,
  wrap: (lease: PartitionLease) => PartitionLease,
): EventLog => ({
  ...overNetwork(process, log, ['own', 'onGrowth']),
  partitions: log.partitions,
  publish: (messages) => process.call(() => log.publish(messages)),
  identity: () => process.call(() => log.identity()),
  journal: (after, limit) => process.call(() => log.journal(after, limit)),
  onGrowth: (listener) => log.onGrowth(listener),
  deadLetters: (limit) => process.call(() => log.deadLetters(limit)),
  close: () => log.close(),
  own: ({ id, onLease }, signal) =>
    log.own(
      { id, onLease: (lease) => onLease(wrap(overNetwork(process, lease, ['onArrival', 'forgottenUntil', 'open']))) },
      signal,
    ),
})
