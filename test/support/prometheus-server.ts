import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.ts'

/** False where the machine has no Prometheus: its tests are left out then. CI installs it, so there its absence is an error. */
export const hasPrometheus = ['prometheus', 'promtool'].every((name) => spawnSync(name, ['--version']).status === 0)
if (!hasPrometheus && process.env['CI'] === 'true') throw new Error('CI needs prometheus and promtool for these tests')

/** What promtool says to the arguments, and whether it was content. */
export const promtool = (args: readonly string[], input = ''): { ok: boolean; said: string } => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' })
  return { ok: status === 0, said: `${stdout}${stderr}` }
}

export interface PrometheusServer {
  /** Asks its HTTP API; answers `data`. */
  ask(path: string): Promise<unknown>
  stop(): Promise<void>
}

/** Starts a Prometheus of its own on any free port, in a folder that goes away with it. */
export const startPrometheus = async (configuration: string): Promise<PrometheusServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'wearon-prometheus-'))
  const config = join(folder, 'prometheus.yml')
  await writeFile(config, configuration)
  const place = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`]
  const child = spawn('prometheus', [...place, '--web.listen-address=127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const address = await eventually(() => {
    const found = /msg="Listening on" address=(?<address>\S+)/.exec(said)?.groups?.['address']
    if (found === undefined) throw new Error(`Prometheus does not listen yet: ${said}`)
    return found
  })
  return {
    ask: async (path) => {
      const answer = await fetch(`http://${address}/api/v1/${path}`)
      if (!answer.ok) throw new Error(`Prometheus answers ${answer.status} to ${path}`)
      return ((await answer.json()) as { data: unknown }).data
    },
    stop: async () => {
      child.kill('SIGTERM')
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}
