import type { IncomingMessage } from 'node:http'
import ipaddr from 'ipaddr.js'

type Request = Pick<IncomingMessage, 'headers' | 'socket'>

/** Headers by which a proxy says for whom it asks. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via']

/**
 * Whether a program of this machine asks by itself. The socket says so, never a header; a header only says that a proxy asks
 * for somebody else.
 */
export const isLocal = ({ headers, socket }: Request): boolean =>
  FORWARDED.every((name) => headers[name] === undefined) && isLoopback(socket.remoteAddress)

/** Every way to write this machine's own address: 127.0.0.0/8, ::1, and IPv4 within IPv6. */
export const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback'

/** Whether the request asks for this machine by a name that is its own: a page that rebinds its name keeps that name. */
export const namesThisMachine = ({ headers }: Pick<Request, 'headers'>): boolean => {
  const name = hostName(headers.host)
  return name === 'localhost' || isLoopback(name?.replace(/^\[|\]$/g, ''))
}

const hostName = (host: string | undefined): string | undefined =>
  host !== undefined && URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined

/** Browsers say so themselves, and pages cannot forge it (Fetch Metadata; Origin in older ones); other clients say nothing. */
export const isFromAnotherSite = ({ headers }: Pick<Request, 'headers'>, publicUrl: string): boolean => {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'cross-site' || site === 'same-site'
  if (origin === undefined) return false
  return !URL.canParse(origin) || (new URL(origin).host !== host && origin !== new URL(publicUrl).origin)
}

/**
 * Whether a page of ours sent it: the browser says from where, and the header is one that no form, link or image can send, and
 * no script of another origin without being asked about it first (CORS), which we always refuse.
 */
export const isFromOwnPage = ({ headers }: Pick<Request, 'headers'>, publicUrl: string): boolean => {
  const site = headers['sec-fetch-site']
  const isOwn = site === undefined ? headers.origin !== undefined : site === 'same-origin'
  return isOwn && headers['x-console'] !== undefined && !isFromAnotherSite({ headers }, publicUrl)
}

/** Whose share of a limit a request takes: the address, and for IPv6 the /64 that one line gets. */
export const limitedBy = (address: string | undefined): string => {
  if (address === undefined || !ipaddr.isValid(address)) return 'unknown'
  const read = ipaddr.process(address)
  return read instanceof ipaddr.IPv6 ? `${read.parts.slice(0, 4).join(':')}/64` : read.toString()
}
