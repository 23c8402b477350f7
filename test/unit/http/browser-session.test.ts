import { expect, test } from 'vitest'
import { BrowserSessions } from '../../../src/http/browser-session.ts'

const KEY = '0123456789abcdef'
const HOUR_MS = 3_600_000

const open = (secret = 'a secret') => {
  const time = { nowMs: 0 }
  let made = 0
  const newNonce = () => `nonce-${++made}`.padEnd(16, '0')
  return { time, sessions: new BrowserSessions(secret, { now: () => time.nowMs, newNonce }) }
}
const sent = (cookie: string) => ({ cookie: `theme=dark; ${cookie.split(';')[0] ?? ''}; other=1` })

test('stands for the key that was shown, for eight hours and no longer', () => {
  const { time, sessions } = open()
  const { cookie, session } = sessions.begin(KEY, false)
  expect(session).toEqual({ keyId: KEY, expiresMs: 8 * HOUR_MS })
  time.nowMs = 8 * HOUR_MS - 0.5
  expect(sessions.read(sent(cookie))).toEqual(session)
  time.nowMs = 8 * HOUR_MS
  expect(sessions.read(sent(cookie))).toBeNull()
})

test('says nothing that a browser could change: neither key, nor hours, nor who signed it', () => {
  const { sessions } = open()
  const { cookie } = sessions.begin(KEY, false)
  const token = /=([^;]+)/.exec(cookie)?.[1] ?? ''
  const [key = '', until = '', nonce = '', mac = ''] = token.split('.')
  const withToken = (parts: readonly string[]) => sent(`wearon_console=${parts.join('.')}`)
  expect(sessions.read(withToken([key, until, nonce, mac]))).not.toBeNull()
  expect(sessions.read(withToken(['fedcba9876543210', until, nonce, mac]))).toBeNull()
  expect(sessions.read(withToken([key, `${Number(until) + 1}`, nonce, mac]))).toBeNull()
  expect(sessions.read(withToken([key, until, `${nonce}x`, mac]))).toBeNull()
  expect(
    sessions.read(withToken([key, until, nonce, mac.replace(/^./, (first) => (first === 'a' ? 'b' : 'a'))])),
  ).toBeNull()
  expect(sessions.read({})).toBeNull()
  expect(open('another secret').sessions.read(sent(cookie))).toBeNull()
})

test('ends one of two sessions of a key, and leaves the other', () => {
  const { sessions } = open()
  const [one, other] = [sessions.begin(KEY, true).cookie, sessions.begin(KEY, true).cookie]
  expect(sessions.end(sent(one), true)).toBe('wearon_console=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0; Secure')
  expect([sessions.read(sent(one)), sessions.read(sent(other))?.keyId]).toEqual([null, KEY])
})
