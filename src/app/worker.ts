import type { Config } from '../config.ts'
import { sessionTable } from '../machines/compile.ts'
import { generate } from '../machines/effects/generate.ts'
import { refund } from '../machines/effects/refund.ts'
import type { Environment } from '../machines/ports/environment.ts'
import { both } from '../machines/runtime/both.ts'
import { EffectPool } from '../machines/runtime/effect-pool.ts'
import { RateShare } from '../machines/runtime/rate-share.ts'
import { Worker } from '../machines/runtime/worker.ts'
import { pictureFetcher } from '../pictures/fetch.ts'
import { preparePicture } from '../pictures/prepare.ts'
import type { Opened } from './open.ts'
import { ownPicture } from './own-pictures.ts'

/**
 * The role `worker`: owns partitions and does what their sessions owe; `generations` is where tries wait for their slots.
 * @throws Error when IMAGE_HOSTS cannot be read.
 */
export const openWorker = (
  config: Config,
  env: Environment,
  opened: Opened,
): { readonly worker: Worker; readonly generations: EffectPool } => {
  const { log, store, objects, folder, generator, publicUrl } = opened
  const { clock } = env
  const rate = new RateShare(generator.requestsPerMinute, clock)
  const own = ownPicture(folder, publicUrl)
  const pictures = pictureFetcher({ hosts: config.imageHosts, use: preparePicture, own })
  const generations = new EffectPool(config.concurrency, both(generator.gate, rate), clock)
  const worker = new Worker(
    {
      env,
      table: sessionTable,
      policy: config.policy,
      log,
      history: store.history,
      effects: {
        generate: generate({ clock, platform: store.platform, pictures, generator, objects }),
        refund: refund(store.platform),
      },
      generations,
      refunds: new EffectPool(config.refundConcurrency, new RateShare(null, clock), clock),
      drainMs: config.shutdownGraceMs,
    },
    rate,
  )
  return { worker, generations }
}
