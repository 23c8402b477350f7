import ipaddr from 'ipaddr.js'

const NAMES = new Set(['loopback', 'linklocal', 'uniquelocal'])

/** Whether a text names proxies that may be trusted: an address, a network (`10.0.0.0/8`), or a range by its name. */
export const isProxy = (text: string): boolean => NAMES.has(text) || ipaddr.isValid(text) || ipaddr.isValidCIDR(text)
