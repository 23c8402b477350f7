// Run as a child with a channel to its parent: the whole program as its environment configures it, with a generation that does
// nothing. Tells where it answers, and whenever it is asked how it stands; ends in order when the channel closes.
import { openEnvironment } from '../../src/app/environment.ts'
import type { Opened } from '../../src/app/open.ts'
import { startSystem } from '../../src/app/system.ts'
import { readConfig } from '../../src/config.ts'
import { foundEverywhere } from '../support/found-images.ts'
import type { Told } from '../support/http-messages.ts'

const tell = (told: Told) => process.send?.(told)

const replace = (opened: Opened): Opened => ({ ...opened, objects: foundEverywhere(opened.objects) })
const config = readConfig()
const system = await startSystem(config, { env: openEnvironment(config.logLevel), replace })

process.on('message', () => {
  globalThis.gc?.()
  const { user, system: kernel } = process.cpuUsage()
  const { heapUsed, external } = process.memoryUsage()
  tell({ told: 'standing', cpuMs: (user + kernel) / 1_000, heapMb: (heapUsed + external) / 2 ** 20 })
})
process.once('disconnect', () => void system.stop().then(() => process.exit(0)))
tell({ told: 'listening', url: system.url })
