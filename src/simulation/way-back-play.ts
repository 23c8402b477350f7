import { encodeAsk } from '../events/command.ts'
import { partitionOf, type SessionId } from '../events/ids.ts'
import { isoTime } from '../events/text.ts'
import { CHAOS_MS, type Stage } from './stage.ts'
import { PARTITIONS } from './world.ts'

/** However a process stood still and its questions were lost: by then it has heard of a pause. */
const HEARD_MS = 120_000
/** A task that was pushed so long ago has reached its inbox, however often its producer tried. */
const ARRIVED_MS = 45_000
const ASK_EVERY_MS = 15_000
const AGAIN_MS = 500

/**
 * Operators pause everything, hand back what is untouched, let some of it come again, and go on: also while processes die. Only
 * tasks that their producer pushed once: with the list paused, what it pushes again stays there.
 */
export const playWayBack = (stage: Stage): void => {
  const { scheduler } = stage
  const pauseAt = scheduler.between(0, 80_000)
  const resumeAt = CHAOS_MS + scheduler.between(0, 60_000)
  scheduler.after(pauseAt, () => pause(stage, scheduler.now() + resumeAt - pauseAt))
  const ask = () => {
    for (const session of leavable(stage)) if (scheduler.chance(0.5)) publish(stage, session, handBackOf(session))
    if (!stage.world.calm) scheduler.after(ASK_EVERY_MS, ask)
  }
  scheduler.after(pauseAt + ARRIVED_MS, ask)
  scheduler.after(resumeAt, () => carrySome(stage))
}

const pause = (stage: Stage, until: number): void => {
  const { scheduler } = stage
  const { process } = stage.world.caller('operator of pauses')
  const { pauses } = stage.world.storeFor(process.clock)
  const since = isoTime(scheduler.now())
  void pauses.pause({ scope: 'all', by: 'operator', why: 'the way back', since })
  const from = scheduler.now() + HEARD_MS
  if (from < until) stage.pauses.push({ from, until })
  scheduler.after(until - scheduler.now(), () => void pauses.resume('all'))
}

const leavable = ({ planned, scheduler, startedAt }: Stage): SessionId[] =>
  [...planned.values()]
    .filter(({ pushes, malformed }) => pushes === 1 && !malformed)
    .filter(({ publishAtMs }) => scheduler.now() > startedAt + publishAtMs + ARRIVED_MS)
    .map(({ id }) => id)

const handBackOf = (sessionId: SessionId): Uint8Array =>
  encodeAsk({ command: 'generation.hand_back', sessionId, by: { role: 'operator', name: 'operator' } })

const publish = (stage: Stage, session: SessionId, bytes: Uint8Array, source: 'http' | 'list' = 'http'): void => {
  const { log } = stage.world.caller('operator of the way back')
  const partition = partitionOf(session, PARTITIONS)
  log.publish([{ partition, bytes, source }]).then(
    () => stage.pushesLeft--,
    () => {
      stage.pushesLeft--
      stage.scheduler.after(AGAIN_MS, () => publish(stage, session, bytes, source))
    },
  )
  stage.pushesLeft++
}

/** The bridge goes on, and some tasks come again before another worker takes them. */
const carrySome = (stage: Stage): void => {
  for (const session of stage.world.list.others) {
    if (!stage.scheduler.chance(0.5)) continue
    const task = stage.world.list.take(session)
    if (task !== null) publish(stage, session, task, 'list')
  }
}
