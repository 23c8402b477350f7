import { encodeAsk } from '../events/command.ts'
import { closes } from '../events/erasure.ts'
import type { Fact } from '../events/fact.ts'
import type { SessionId } from '../events/ids.ts'
import { replayLetter } from '../machines/runtime/dead-letters.ts'
import { inboxFor } from './producer.ts'
import type { Stage } from './stage.ts'
import { silentMeter } from './world.ts'

const LOOK_EVERY_MS = 10_000
/** Letters that the operator replays at a time. */
const REPLAYS = 3

/** Repairs, settles, replays and restarts, as operators do. */
export const playOperator = (stage: Stage): void => {
  const { process, log } = stage.world.caller('operator')
  const env = { clock: process.clock, meter: silentMeter }
  /** Also letters of sessions that go on: whatever is replayed moves none that is known. */
  const replay = async () => {
    const { items } = await log.letters.list({ limit: REPLAYS, state: 'waiting' })
    for (const { id } of items) await replayLetter(id, { by: 'operator' }, { log, env })
  }
  /** Settles by hand what seems to be owed, and now and then what is not: the payment may be under way. */
  const settle = async () => {
    const id = stage.scheduler.pick(stage.scheduler.chance(0.8) ? owedIn(stage) : [...stage.planned.keys()])
    const by = { role: 'operator', name: 'operator' } as const
    const ask = { command: 'refund.settle', sessionId: id, by, how: 'paid_outside', why: 'the shop paid' } as const
    await log.publish([{ partition: inboxFor(stage, id), bytes: encodeAsk(ask), source: 'http' }])
  }
  const tick = () => {
    stage.world.repairAll()
    if (!stage.world.calm && stage.scheduler.chance(0.3)) settle().catch(() => {})
    if (!stage.world.calm && stage.scheduler.chance(0.2)) replay().catch(() => {})
    if (!stage.world.calm && stage.scheduler.chance(0.1)) stage.world.restartOne()
    stage.scheduler.after(20_000, tick)
  }
  stage.scheduler.after(20_000, tick)
}

/** Sessions whose refund was open when somebody last looked; any where there is none. */
const owedIn = (stage: Stage): SessionId[] => {
  const all = [...stage.planned.keys()]
  const owed = all.filter((id) => isOwed(stage.world.store.sessions.get(id)))
  return owed.length > 0 ? owed : all
}

/** Fails pushes, refunds at midnight, and goes away, whatever we are at. */
export const playPlatform = (stage: Stage): void => {
  const { process } = stage.world.caller('platform')
  const { play } = stage.world.storeFor(process.clock)
  for (const session of stage.planned.values()) {
    const at = session.publishAtMs + stage.scheduler.between(1, 60_000)
    const act = async () => {
      const goes = ['queued', 'processing'].includes(stage.world.store.rows.get(session.id)?.status ?? '')
      // The platform fails a push within seconds, while its own row still waits.
      if (session.platform === 'failed_push' && goes && session.charged) {
        if (session.owner.channel === 'b2c') {
          const { userId } = session.owner
          stage.failedPushes.set(userId, [...(stage.failedPushes.get(userId) ?? []), session.id])
        }
        await play.failPush(session.id).catch(() => {})
      }
      if (session.platform === 'uninstall' && session.owner.channel === 'b2b')
        await play.uninstall(session.owner.storeId)
    }
    if (session.platform !== null) stage.scheduler.after(at, () => void act())
  }
  if (stage.scheduler.chance(0.5))
    stage.scheduler.after(stage.scheduler.between(660_000, 900_000), () => void play.midnight())
}

/** Clients that look at their sessions again and again. */
export const playClients = (stage: Stage): void => {
  const { process } = stage.world.caller('client')
  const { archive } = stage.world.storeFor(process.clock)
  const look = async (sessionId: SessionId) => {
    const facts = await process.call(() => archive.session(sessionId)).catch(() => [])
    stage.readings.push({ sessionId, types: facts.map(({ type }) => type) })
    if (!stage.world.calm)
      stage.scheduler.after(stage.scheduler.between(0, 2 * LOOK_EVERY_MS), () => void look(sessionId))
  }
  for (const { id, publishAtMs } of stage.planned.values()) stage.scheduler.after(publishAtMs, () => void look(id))
}

const isOwed = (facts: readonly Fact[] | undefined): boolean =>
  facts?.at(-1)?.type.startsWith('refund.') === true && !hasEnded(facts)

/** Nothing more is owed here: a session that was handed back is somebody else's. */
export const hasEnded = (facts: readonly Fact[] | undefined): boolean => {
  const last = facts?.at(-1)
  return last !== undefined && closes(last)
}
