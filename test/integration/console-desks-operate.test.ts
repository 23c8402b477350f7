import { describe, expect, test } from 'vitest'
import { drawPerson } from '../../src/pictures/draw.ts'
import { hasChromium } from '../support/chromium.ts'
import { memoryPose, nobody, standing } from '../support/pose-memory.ts'
import { keepScreenshot } from '../support/screenshots.ts'
import { useDesk } from './console-desk.ts'
import { bearer, makeKey } from './http-keys-world.ts'

describe.runIf(hasChromium)('the desks of operators', () => {
  const open = useDesk()

  test('projections say how far they are behind, and are rebuilt while one watches', async () => {
    const desk = await open('/projections')
    const { page, desks, faults } = desk
    const row = page.getByRole('row', { name: /sessions/ })
    expect(await row.innerText()).toMatch(/sessions\tlags\t24\t2\t\d+ d /)
    await desk.button('Rebuild sessions').click()
    await desk.dialog().getByText('People can query all the while').waitFor()
    await desk.dialog().getByRole('button', { name: 'Rebuild sessions' }).click()
    await page.getByRole('progressbar', { name: 'Rebuild of sessions' }).waitFor()
    await page.getByText('1 of 24 facts').waitFor()
    await keepScreenshot(page, 'projections-light')
    desks.rebuilding.goOn()
    await desk.said('sessions was computed anew')
    await desks.project()
    await row.getByText('up to date').waitFor()
    expect(await desk.api('/v1/audit?action=projection.rebuild')).toMatchObject({
      items: [{ target: 'sessions', outcome: 'done' }],
    })
    expect(faults).toEqual([])
  })

  test('a key is made and shown once, lets in, is revoked, and all of it is in the audit', async () => {
    const desk = await open('/keys')
    const { page, desks } = desk
    await page.getByLabel('Name').fill('support')
    for (const scope of ['operate', 'read']) await page.getByRole('checkbox', { name: scope }).check()
    await desk.button('Make a key').click()
    const key = await page.getByLabel('The key support').inputValue()
    expect(key).toMatch(/^wk_[0-9a-f]{16}_[\w-]{43}$/)
    await desk.link('Sign in with this one').click()
    await desk.signIn(key)
    expect(await desk.rows()).toMatchObject([expect.stringMatching(/support \(yours\).*counts.*read, operate/s)])

    const other = await makeKey(desks, { name: 'shop' })
    await page.reload()
    await desk.button('Revoke shop').click()
    await desk.dialog().getByRole('button', { name: 'Revoke' }).click()
    await desk.said('counts no more')
    expect((await desks.get('/v1/generations', bearer(other.key))).status).toBe(401)

    await desk.link('Who made and revoked which').click()
    await page.getByRole('cell', { name: 'key.revoke' }).waitFor()
    const entries = (await desk.rows()).map((row) => /(support|loopback)\t(key\.\w+)/.exec(row)?.slice(1))
    expect(entries).toEqual([
      ['support', 'key.revoke'],
      ['loopback', 'key.create'],
    ])
  })

  test('a key without the scope is told which one it lacks', async () => {
    let key = ''
    const desk = await open('/dead-letters', {}, async (desks) => {
      key = (await makeKey(desks, { scopes: ['read'] })).key
    })
    await desk.signIn(key)
    await desk.page.getByRole('alert').getByText('needs the scope operate').waitFor()
    expect(await desk.link('Dead letters').count()).toBe(0)
  })

  test('an orphan row is given up by hand, and all come as CSV', async () => {
    const desk = await open('/orphans')
    const { orphan } = desk.desks.planted
    expect(await desk.rows()).toMatchObject([expect.stringContaining('no task came for the row')])
    expect(await desk.download('Download these as CSV')).toContain(orphan)
    await desk.act('Give up', { 'Your name': 'Ada' })
    await desk.said('Given up')
    expect(desk.desks.published()).toMatchObject([{ command: 'generation.give_up', sessionId: orphan }])
  })

  describe('a photo', () => {
    const bodies = (answer: Parameters<typeof memoryPose>[0], overlay = true) => ({
      engine: memoryPose(answer).engine,
      overlay,
      deadlineMs: 4_500,
      estimatesMax: 4,
      waitingMax: 4,
      photos: {
        fetch: async () => ({ code: 'input_unavailable', detail: 'not here' }) as const,
        close: async () => {},
      },
    })
    const choose = async ({ page }: Awaited<ReturnType<typeof open>>) => {
      const buffer = Buffer.from(await drawPerson(1))
      await page.getByLabel('A file').setInputFiles({ name: 'person.jpg', mimeType: 'image/jpeg', buffer })
      await page.getByLabel('Height, cm').fill('178')
      await page.getByLabel('Draw what was seen').check()
    }

    test('gets a size in words, and is shown with what was seen in it', async () => {
      const desk = await open('/body', { bodies: bodies(standing) })
      await choose(desk)
      await desk.button('Estimate').click()
      await desk.page.getByText(/^Size (?:XS|S|M|L|XL|XXL)$/).waitFor()
      const drawn = desk.page.getByRole('img', { name: /skeleton/ })
      await drawn.waitFor()
      expect(await drawn.evaluate((image: { naturalWidth: number }) => image.naturalWidth)).toBe(800)
      await keepScreenshot(desk.page, 'body-light')
      expect(desk.faults).toEqual([])
    })

    test('that will not do is refused with what to do; an address that does not answer, and none at all, say so', async () => {
      const desk = await open('/body', { bodies: bodies(() => nobody, false) })
      const { page } = desk
      await choose(desk)
      await desk.button('Estimate').click()
      await page.getByText('This photo will not do.').waitFor()
      await page.getByText('Use a photo of one person, standing').waitFor()
      await page.getByText('POSE_OVERLAY=1 turns it on').waitFor()
      await page.reload()
      await page.getByLabel('Height, cm').fill('178')
      await desk.button('Estimate').click()
      await page.getByRole('alert').getByText('Choose a file').waitFor()
      await page.getByLabel('or its address').fill('https://images.example/gone.jpg')
      await desk.button('Estimate').click()
      await page.getByRole('alert').getByText('does not answer').waitFor()
    })
  })
})
