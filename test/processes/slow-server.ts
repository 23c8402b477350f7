// Run as a process of its own: the server as it always is, with a provider that takes a second.
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '../../src/app/serve.ts'

const PROVIDER_MS = 1_000

await serve({
  replace: (opened) => ({
    ...opened,
    generator: {
      ...opened.generator,
      generate: async (request, signal) => {
        await sleep(PROVIDER_MS, undefined, { signal })
        return opened.generator.generate(request, signal)
      },
    },
  }),
})
