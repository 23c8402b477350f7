import type { MetricRow } from './row.ts'

const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** From a refund's few milliseconds to a try's 200 s. */
const effectSeconds = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 40, 60, 90, 120, 180, 240]
/** From a millisecond's measuring to the five seconds after which nobody waits any more. */
const stageSeconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1, 2.5, 5]

/** Work that is done for sessions and requests, and who does it: providers, pose engines, storage. */
export const effectMetrics: Readonly<Record<string, MetricRow>> = {
  handbacks_total: {
    type: 'counter',
    help: 'Released tasks that were given back to the producers’ list, or not wanted by the platform any more; repeats count.',
    labels: ['outcome'],
  },
  effects_running: { type: 'gauge', help: 'Generations and refunds that run in this process.', labels: ['effect'] },
  effects_waiting: {
    type: 'gauge',
    help: 'Generations and refunds that wait for a slot in this process, their retries included.',
    labels: ['effect'],
  },
  effect_seconds: {
    type: 'histogram',
    help: 'Time that a generation or refund took, by how it ended.',
    labels: ['effect', 'how'],
    buckets: effectSeconds,
  },
  pose_seconds: {
    type: 'histogram',
    help: 'Time that the models took for a picture, its wait for a free engine included, by what it came to.',
    labels: ['outcome'],
    buckets: requestSeconds,
  },
  pose_waiting: { type: 'gauge', help: 'Pictures that wait for a free engine.', labels: [] },
  pose_engines_ready: { type: 'gauge', help: 'Engine processes whose self-test passed.', labels: [] },
  pose_engine_ends_total: {
    type: 'counter',
    help: 'Engine processes that ended by themselves or were stopped over a picture.',
    labels: [],
  },
  provider_calls_total: {
    type: 'counter',
    help: 'Requests to the provider of images, by what they came to: image, or the code of the failure.',
    labels: ['code'],
  },
  provider_call_seconds: {
    type: 'histogram',
    help: 'Time that a request to the provider of images took, its answer read in full.',
    labels: ['code'],
    buckets: effectSeconds,
  },
  provider_tokens_total: {
    type: 'counter',
    help: 'Tokens that the provider counted: text_in, image_in, text_out, image_out.',
    labels: ['kind'],
  },
  provider_cost_usd_total: {
    type: 'counter',
    help: 'What those tokens cost in USD, by the prices that are set.',
    labels: [],
  },
  provider_breaker_open: {
    type: 'gauge',
    help: '1 while the provider refuses the account (key, budget, model): no generation starts but a probe. Page somebody.',
    labels: [],
  },
  body_estimates_total: {
    type: 'counter',
    help: 'Estimates of bodies from photos: answered, refused (the photo will not do), or the code of the problem.',
    labels: ['outcome'],
  },
  body_refusals_total: {
    type: 'counter',
    help: 'Why photos would not do; one photo may count for several reasons.',
    labels: ['reason'],
  },
  body_stage_seconds: {
    type: 'histogram',
    help: 'Time of the parts of an estimate: fetch, decode, queue, blaze_pose, move_net, measure.',
    labels: ['stage'],
    buckets: stageSeconds,
  },
  image_urls_signed_again_total: {
    type: 'counter',
    help: 'URLs of results that had expired and were asked for: signed, gone with the image, or failed.',
    labels: ['outcome'],
  },
}
