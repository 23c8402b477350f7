import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pictureFetcher } from '../src/pictures/fetch.ts'
import { preparePicture } from '../src/pictures/prepare.ts'
import { phonePhoto } from '../test/support/photo.ts'
import { pictureCrowd } from '../test/support/picture-crowd.ts'
import { type Benchmark, load, median, peakRssMb } from './support/figures.ts'

const ROUNDS = 15
const TOGETHER = 40
const CROWD = 200
/** A person and a garment, as most sessions have them. */
const PICTURES_OF_A_SESSION = 2

/** One phone's photo made ready: how long, how much memory; how many a core makes ready, fetched over HTTP; and a crowd. */
export const prepare: Benchmark = async () => {
  const photo = await phonePhoto()
  await preparePicture(photo)
  const restMb = process.memoryUsage.rss() / 2 ** 20
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) times.push(await timeOf(() => preparePicture(photo)))
  const msPerPhoto = median(times)
  console.log(
    `photo of 12 megapixels, ${(photo.byteLength / 1e6).toFixed(1)} MB: ${msPerPhoto.toFixed(0)} ms   (${load()})`,
  )
  const { coreMs, peakMb } = await fetchTogether(photo)
  const mbPerPhoto = (peakMb - restMb) / TOGETHER
  const sessionsPerCore = 1000 / (coreMs * PICTURES_OF_A_SESSION)
  console.log(
    `fetched and made ready, ${TOGETHER} asked for at once: ${coreMs.toFixed(0)} ms of a core and ${mbPerPhoto.toFixed(1)} MB each`,
  )
  console.log(
    `a core feeds ${sessionsPerCore.toFixed(1)} sessions of ${PICTURES_OF_A_SESSION} photos a second   (${load()})`,
  )
  const crowd = await pictureCrowd(CROWD, photo)
  console.log(
    `${CROWD} sessions at once: event loop p99 ${crowd.loopP99Ms.toFixed(0)} ms, ${crowd.peakMb.toFixed(0)} MB   (${load()})`,
  )
  return {
    crowd_loop_p99_ms: crowd.loopP99Ms,
    crowd_mb: crowd.peakMb,
    ms_per_photo: msPerPhoto,
    mb_per_photo: mbPerPhoto,
    core_ms_per_photo: coreMs,
    sessions_per_core_s: sessionsPerCore,
  }
}

const timeOf = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

/** The server works in this process too: its share of the time is in the figure. */
const fetchTogether = async (photo: Uint8Array) => {
  const headers = { 'content-type': 'image/jpeg', 'content-length': photo.byteLength }
  const server = createServer((_, response) => response.writeHead(200, headers).end(photo))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const fetcher = pictureFetcher({ hosts: [host], use: preparePicture })
  const { signal } = new AbortController()
  const before = process.cpuUsage()
  const one = async (_: unknown, number: number) => {
    const made = await fetcher.fetch([`http://${host}/`], signal, `store ${number}`)
    if (!Array.isArray(made)) throw new Error(made.detail)
  }
  await Promise.all(Array.from({ length: TOGETHER }, one))
  const { user, system } = process.cpuUsage(before)
  await fetcher.close()
  server.close()
  return { coreMs: (user + system) / 1000 / TOGETHER, peakMb: peakRssMb() }
}
