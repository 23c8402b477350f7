import { z } from 'zod'
import type { PartitionStatus } from '../machines/runtime/partition-status.ts'
import type { LoopStatus } from '../machines/runtime/supervisor.ts'
import { open } from './access.ts'
import { type CheckResult, Checks } from './checks.ts'
import type { HttpParts } from './parts.ts'
import { type Answer, type Route, route } from './route.ts'

/** Probes may add whatever they like to their URLs. */
const anything = z.unknown()

/** What probes, load balancers and Prometheus ask. Open to all, so it says nothing that helps an attacker. */
export const healthRoutes = (parts: HttpParts): Route[] => {
  const checks = new Checks(parts.checks, parts.limits, parts.env)
  const probe = (path: string, title: string, handle: () => Promise<Answer> | Answer) =>
    route({ method: 'get', path, title, access: open, query: anything, handle })
  return [
    probe('/livez', 'Whether the process turns; 503: restart it', () => live(parts)),
    probe('/readyz', 'Whether it may be sent requests; 503: ask another', async () =>
      ready(parts, await checks.results()),
    ),
    probe('/health', 'How everything is', async () => health(parts, await checks.results())),
    probe('/metrics', 'What Prometheus reads', async () => ({
      status: 200,
      headers: { 'Content-Type': parts.metrics.contentType },
      body: await parts.metrics.expose(),
    })),
  ]
}

/** 503 when a loop has stalled: only a restart of the process helps. */
const live = (parts: HttpParts): Answer => {
  const loops = loopsOf(parts)
  const stalled = loops.some(({ state }) => state === 'stalled')
  return { status: stalled ? 503 : 200, body: { status: stalled ? 'stalled' : 'live', loops } }
}

/**
 * 503 when requests should go to another process. The models that see bodies are not asked: without them everything else works,
 * `/estimate-body` answers 503 by itself, and another process would load the same files.
 */
const ready = (parts: HttpParts, results: readonly CheckResult[]): Answer => {
  const { partitions, draining } = parts.status()
  const damaged = damagedOf(partitions)
  const isReady = !draining && damaged.length === 0 && results.every(({ ok }) => ok)
  return {
    status: isReady ? 200 : 503,
    body: {
      status: isReady ? 'ready' : 'not_ready',
      draining,
      checks: Object.fromEntries(results.map(({ name, ok, remedy }) => [name, ok ? 'ok' : remedy])),
      damaged_partitions: damaged,
    },
  }
}

/** Always 200: an operator's and the platform's overview. */
const health = (parts: HttpParts, results: readonly CheckResult[]): Answer => {
  const { partitions } = parts.status()
  const loops = loopsOf(parts)
  const pose = poseOf(parts)
  const isWell =
    pose.state !== 'failed' &&
    results.every(({ ok }) => ok) &&
    loops.every(({ state }) => state === 'running') &&
    damagedOf(partitions).length === 0
  return {
    status: 200,
    body: {
      status: isWell ? 'ok' : 'degraded',
      size_rec_model_loaded: pose.state === 'ready',
      redis_connected: results.some(({ name, ok }) => name === 'redis' && ok),
      checks: Object.fromEntries(results.map(({ name, ok }) => [name, ok ? 'ok' : 'failing'])),
      loops,
      // An operator's wish, and no failure. Who and why is for operators: /v1/pauses.
      paused: pausesOf(parts),
      pose,
      partitions: {
        of: parts.log.partitions,
        held: partitions.length,
        running: partitions.filter(({ state }) => state === 'running').length,
        damaged: damagedOf(partitions),
      },
    },
  }
}

const pausesOf = ({ paused }: HttpParts) =>
  paused().map(({ scope, since }) => ({ what: scope.split(':', 1)[0] ?? scope, since }))

/** Why an engine failed is for the log alone: it may name files. */
const poseOf = ({ bodies }: HttpParts) => {
  if (bodies === null) return { state: 'off' as const }
  const { state, backend, engines, enginesReady, waiting } = bodies.engine.status()
  return { state, backend, engines, engines_ready: enginesReady, waiting }
}

interface LoopJson {
  readonly name: string
  readonly state: LoopStatus['state'] | 'stalled'
  readonly restarts: number
  readonly seen_seconds_ago: number
}

const loopsOf = ({ status, env, limits }: HttpParts): LoopJson[] =>
  status().loops.map(({ name, state, restarts, seenAt }) => {
    const ageMs = env.clock.now() - seenAt
    const stalled = state === 'running' && ageMs > limits.stalledLoopMs
    return { name, state: stalled ? 'stalled' : state, restarts, seen_seconds_ago: Math.round(ageMs / 1_000) }
  })

const damagedOf = (partitions: readonly PartitionStatus[]): number[] =>
  partitions.filter(({ state }) => state === 'damaged').map(({ partition }) => partition)
