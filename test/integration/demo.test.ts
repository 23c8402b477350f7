import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { drawGarment, drawPerson } from '../../src/pictures/draw.ts'
import { sniff } from '../../src/pictures/sniff.ts'
import { run } from '../support/server-process.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wearon-demo-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** The demo as a user runs it, in a folder of its own. */
const demo = (...args: string[]) => run('src/cli/wearon.ts', ['demo', ...args], {}, folder).ended

it('plays every session to its end, shows all of it, and leaves the images', async () => {
  const { code, stdout, stderr } = await demo()
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('All 8 sessions ended as they must')
  for (const word of ['moderation_blocked', 'rate_limited', 'refund.issued', 'not JSON', 'balanced', 'make dev'])
    expect(stdout).toContain(word)
  const images = await readdir(join(folder, 'demo-output'))
  expect(images).toHaveLength(6)
  expect(sniff(await readFile(join(folder, 'demo-output', images[0] ?? '')))).toBe('jpeg')
  expect(await readdir(join(folder, '.wearon/demo'))).toEqual([])
})

it("takes the user's own pictures, and leaves the data folder when asked", async () => {
  const [person, garment] = [join(folder, 'me & my "cat".jpg'), join(folder, 'shirt.jpg')]
  await writeFile(person, await drawPerson(7))
  await writeFile(garment, await drawGarment(7))
  const { code, stdout } = await demo('--person', person, '--garment', garment, '--keep')
  expect(code).toBe(0)
  const [kept = ''] = await readdir(join(folder, '.wearon/demo'))
  expect(stdout).toContain(`DATA_DIR=${join('.wearon/demo', kept)} PARTITIONS=16 make dev`)
  await access(join(folder, '.wearon/demo', kept, 'database'))
})

it('says in one line which picture cannot be used', async () => {
  await writeFile(join(folder, 'notes.txt'), 'no picture')
  expect(await demo('--person', 'nowhere.jpg')).toMatchObject({
    code: 1,
    stderr: 'wearon: nowhere.jpg cannot be read (ENOENT)\n',
  })
  expect(await demo('--garment', 'notes.txt')).toMatchObject({
    code: 1,
    stderr: 'wearon: notes.txt is no picture that can be used: give a JPEG, PNG, WebP, AVIF or GIF\n',
  })
})

it('fails, and says what differs, when a session does not end as the plot says', async () => {
  const { code, stdout } = await run('test/processes/demo-gone-wrong.ts', [], {}, folder).ended
  expect(code).toBe(1)
  expect(stdout).toContain('This did not end as it must:')
  expect(stdout).toContain('Anna tries a shirt on: state: completed instead of refunded')
})
