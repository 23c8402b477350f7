// Run as a process of its own: the server as it always is, which kills itself when the session KILL_SESSION comes to the point
// KILL_AT, one of the names below.
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '../../src/app/serve.ts'
import type { Commit, EventLog, PartitionLease } from '../../src/machines/ports/event-log.ts'
import type { Generator } from '../../src/machines/ports/generator.ts'
import type { Objects } from '../../src/machines/ports/objects.ts'
import type { Platform } from '../../src/machines/ports/platform.ts'

const { KILL_AT: killAt, KILL_SESSION: victim = 'nobody' } = process.env

/** Whoever acts before the commit has this long for it. */
const HOLD_MS = 500

/** Ends the process as `kill -9` does: nothing after it happens. */
const point = async (name: string, about: string): Promise<void> => {
  if (name !== killAt || !about.includes(victim)) return
  if (name.startsWith('before')) await sleep(HOLD_MS)
  process.kill(process.pid, 'SIGKILL')
  await new Promise<never>(() => {})
}

/** `before generation.completed`, `after generation.completed`: around the commit that makes such a fact durable. */
const deadlyLease = (lease: PartitionLease): PartitionLease => {
  const points = async (when: string, { step }: Commit) => {
    for (const { type, sessionId } of step?.facts ?? []) await point(`${when} ${type}`, sessionId)
  }
  return {
    ...lease,
    commit: async (commit) => {
      await points('before', commit)
      await lease.commit(commit)
      await points('after', commit)
    },
  }
}

const deadlyLog = (log: EventLog): EventLog => ({
  ...log,
  own: (owner, signal) => log.own({ ...owner, onLease: (lease) => owner.onLease(deadlyLease(lease)) }, signal),
})

/** `pictures`: they are here, and the provider is not asked yet. `answer`: the provider's image is here, and nowhere else. */
const deadlyGenerator = (generator: Generator): Generator => ({
  ...generator,
  generate: async (request, signal) => {
    await point('pictures', request.sessionId)
    const made = await generator.generate(request, signal)
    await point('answer', request.sessionId)
    return made
  },
})

/** `upload`: the image lies in storage, and nobody was told. */
const deadlyObjects = (objects: Objects): Objects => ({
  ...objects,
  put: async (path, bytes, metadata) => {
    const stored = await objects.put(path, bytes, metadata)
    await point('upload', path)
    return stored
  },
})

/** `payment`: the ledger has given the credit back, and nobody was told. */
const deadlyPlatform = (platform: Platform): Platform => ({
  look: (session) => platform.look(session),
  settle: (session, settlement, fence) => platform.settle(session, settlement, fence),
  refund: async (session, fence) => {
    const outcome = await platform.refund(session, fence)
    await point('payment', session)
    return outcome
  },
})

await serve({
  replace: (opened) => ({
    ...opened,
    log: deadlyLog(opened.log),
    generator: deadlyGenerator(opened.generator),
    objects: deadlyObjects(opened.objects),
    store: { ...opened.store, platform: deadlyPlatform(opened.store.platform) },
  }),
})
