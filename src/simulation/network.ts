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
