type AsyncMethod = (...args: never[]) => Promise<unknown>

/** A port whose every call goes through `call`, as over a network. Methods named in `local` stay as they are. */
export const overNetwork = <Port extends object>(
  port: Port,
  call: (operation: () => Promise<unknown>) => Promise<unknown>,
  local: readonly (keyof Port)[] = [],
): Port =>
  new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      const method = member.bind(target) as AsyncMethod
      return local.includes(name as keyof Port) ? method : (...args: never[]) => call(() => method(...args))
    },
  })
