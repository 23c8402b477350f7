import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openEnvironment } from '../src/app/environment.ts'
import { startSystem } from '../src/app/system.ts'
import { readConfig } from '../src/config.ts'
import type { Benchmark } from './support/figures.ts'

/** Until all partitions are taken and the code that runs at idle is compiled. */
const SETTLE_MS = 15_000
const WINDOW_MS = 30_000

/** What a process with every role costs on the embedded database while nothing happens, in percent of one core. */
export const idle: Benchmark = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wearon-idle-'))
  const config = readConfig({ DATA_DIR: folder, HOST: '127.0.0.1', PORT: '0', POSE: 'off' })
  const system = await startSystem(config, { env: openEnvironment('error') })
  try {
    await sleep(SETTLE_MS)
    const before = process.cpuUsage()
    await sleep(WINDOW_MS)
    const { user, system: kernel } = process.cpuUsage(before)
    const percent = ((user + kernel) / 1_000 / WINDOW_MS) * 100
    const rssMb = process.memoryUsage.rss() / 2 ** 20
    const figures = `${percent.toFixed(2)} % of a core over ${WINDOW_MS / 1_000} s, ${rssMb.toFixed(0)} MB`
    console.log(`${config.partitions} partitions, nothing to do: ${figures}`)
    return { cpu_percent: percent, rss_mb: rssMb }
  } finally {
    await system.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
