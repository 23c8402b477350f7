// Run as a process of its own, with the harness's address, its provider's URL, its own name and a number of ms as arguments:
// the server as it always is, with the harness's provider, telling the harness what it owns and commits. Its ledger's answers
// come that late, so that a kill may fall between the payment and the fact. It ends with the harness.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '../src/app/serve.ts'
import { notNoted } from '../src/events/generation.ts'
import type { Generator, MadeImage } from '../src/machines/ports/generator.ts'
import type { Platform } from '../src/machines/ports/platform.ts'
import { type Told, TryAnswer } from './messages.ts'
import { type StartedTries, watchedLog } from './watched-log.ts'

const [harnessPort = '', provider = '', life = '', refundAnswerMs = '0'] = process.argv.slice(2)

const line = connect(Number(harnessPort), '127.0.0.1')
line.on('error', () => process.exit(1)).on('close', () => process.exit(1))
const say = (told: Told) => line.write(`${JSON.stringify(told)}\n`)
say({ told: 'born', life })

const started: StartedTries = new Map()
const image: MadeImage = {
  bytes: Uint8Array.of(0xff, 0xd8, 0xff),
  usage: { inputTokens: 10, outputTokens: 20, costUsd: 0.01, byKind: null },
  provenance: { ...notNoted, generator: 'chaos', model: 'chaos-1' },
}

const generator: Generator = {
  name: 'chaos',
  requestsPerMinute: null,
  generate: async ({ sessionId }, signal) => {
    const asked = { session: sessionId, ...started.get(sessionId) }
    const response = await fetch(provider, { method: 'POST', body: JSON.stringify(asked), signal })
    const { code } = TryAnswer.parse(await response.json())
    return code === null ? image : { code, detail: 'as planned' }
  },
}

const lateRefunds = (platform: Platform): Platform => ({
  look: (session) => platform.look(session),
  settle: (session, settlement, fence) => platform.settle(session, settlement, fence),
  refund: async (session, fence) => {
    const outcome = await platform.refund(session, fence)
    await sleep(Number(refundAnswerMs))
    return outcome
  },
})

await serve({
  replace: (opened) => {
    const store = { ...opened.store, platform: lateRefunds(opened.store.platform) }
    return { ...opened, store, generator, log: watchedLog(opened.log, { life, say, started }) }
  },
})
