import { encodeAsk } from '../events/command.ts'
import { partitionOf, type SessionId } from '../events/ids.ts'
import { tenantOf } from '../events/owner.ts'
import type { TaskSource } from '../events/task.ts'
import { isoTime } from '../events/text.ts'
import type { PlannedSession } from './scenario.ts'
import { requestOf, type Stage } from './stage.ts'
import { PARTITIONS } from './world.ts'

/** The producer charges, writes the row and pushes until it is acknowledged; it may push again, or push what is broken. */
export const playProducer = (stage: Stage, session: PlannedSession): void => {
  const { process, log } = stage.world.caller('producer')
  const bytes = taskOf(session, stage.scheduler.now() + session.publishAtMs)
  const push = (message: Uint8Array, acknowledged: (sentAt: number) => void, source: TaskSource = 'list'): void => {
    const sentAt = stage.scheduler.now()
    log.publish([{ partition: inboxFor(stage, session.id), bytes: message, source }]).then(
      () => acknowledged(sentAt),
      () => stage.scheduler.after(500, () => push(message, acknowledged, source)),
    )
  }
  const acknowledged = (sentAt: number) => {
    stage.pushesLeft--
    // Its answer was on the way when the log went back: it may speak of what is gone.
    if (sentAt <= stage.lostAt) return
    stage.accepted.add(session.id)
  }
  stage.pushesLeft += session.pushes
  stage.scheduler.after(session.publishAtMs, () => {
    const order = {
      sessionId: session.id,
      owner: session.owner,
      requestId: requestOf(session),
      imageUrls: [],
      prompt: '',
    }
    void stage.world
      .storeFor(process.clock)
      .producer.order({ ...order, charge: session.charged ? 'account' : 'nobody' })
    for (let again = 0; again < session.pushes; again++) {
      const broken = session.malformed && again === 0
      // A task that was replayed is a task like any other, whatever became of its session meanwhile.
      const source = again > 0 && stage.scheduler.chance(0.3) ? 'replay' : 'list'
      stage.scheduler.after(again === 0 ? 0 : stage.scheduler.between(0, 200_000), () => {
        push(broken ? brokenTask(session) : bytes, acknowledged, source)
      })
    }
    if (session.malformed) push(Buffer.from('{"not": "a task'), () => {})
    if (session.cancelAfterMs !== null) {
      const by = { role: 'tenant', tenant: tenantOf(session.owner) } as const
      const cancel = encodeAsk({ command: 'generation.cancel', sessionId: session.id, by })
      stage.scheduler.after(session.cancelAfterMs, () => push(cancel, () => {}))
    }
  })
}

/** Some messages lie in the wrong inbox, and must be forwarded. */
export const inboxFor = (stage: Stage, session: SessionId): number => {
  return stage.scheduler.chance(0.9)
    ? partitionOf(session, PARTITIONS)
    : Math.floor(stage.scheduler.random() * PARTITIONS)
}

const taskOf = (session: PlannedSession, at: number): Uint8Array => {
  const { owner } = session
  const task = {
    task_id: `task-${session.id}`,
    channel: owner.channel,
    ...(owner.channel === 'b2b' ? { store_id: owner.storeId } : { user_id: owner.userId }),
    session_id: session.id,
    image_urls: ['https://images.example/person.jpg'],
    request_id: requestOf(session),
    ...(session.withTime && { created_at: isoTime(at) }),
  }
  return Buffer.from(JSON.stringify(task))
}

const brokenTask = (session: PlannedSession): Uint8Array =>
  Buffer.from(JSON.stringify({ session_id: session.id, image_urls: [] }))
