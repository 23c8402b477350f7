// Run as a process of its own: the server as it always is, but that it dies at its first task that is handed back: DIE_AT=before
// it lies in the list, or after.
import { serve } from '../../src/app/serve.ts'
import type { ProducersList } from '../../src/projections/hand-back.ts'

const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => {})
}

const deadly = (list: ProducersList): ProducersList => ({
  giveBack: async (key, task) => {
    if (process.env['DIE_AT'] === 'before') await die()
    await list.giveBack(key, task)
    await die()
  },
})

await serve({
  replace: (opened) => ({ ...opened, producersList: opened.producersList && deadly(opened.producersList) }),
})
