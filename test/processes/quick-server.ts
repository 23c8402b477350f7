// Run as a process of its own: the server as it always is, with a provider that is quick. When the ledger has committed a
// refund it says so (`paid`) and answers late, so that a kill may fall between the ledger's commit and the fact.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '../../src/app/serve.ts'
import type { Platform } from '../../src/machines/ports/platform.ts'
import { quickProvider } from '../support/quick-provider.ts'

const REFUND_ANSWER_MS = 150

const lateRefunds = (platform: Platform): Platform => ({
  look: (session) => platform.look(session),
  settle: (session, settlement, fence) => platform.settle(session, settlement, fence),
  refund: async (session, fence) => {
    const outcome = await platform.refund(session, fence)
    process.stdout.write(`paid ${session}\n`)
    await sleep(REFUND_ANSWER_MS)
    return outcome
  },
})

const generator = await quickProvider(join(process.env['DATA_DIR'] ?? '', 'provider'))
await serve({
  replace: (opened) => {
    const store = { ...opened.store, platform: lateRefunds(opened.store.platform) }
    return { ...opened, generator, store }
  },
})
