import { BlockList, isIPv4, isIPv6 } from 'node:net'

const list = (family: 'ipv4' | 'ipv6', ranges: readonly string[]): BlockList => {
  const made = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    made.addSubnet(address, Number(bits), family)
  }
  return made
}

/** What IANA's special-purpose registry for IPv4 does not call globally reachable, multicast, and Azure's metadata service. */
const RANGES_4 =
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 168.63.129.16/32'
const SPECIAL_4 = list('ipv4', RANGES_4.split(' '))
/** All that is handed out for the public: what maps or translates IPv4 lies outside, but for 6to4 and Teredo. */
const GLOBAL_6 = list('ipv6', ['2000::/3'])
const SPECIAL_6 = list('ipv6', ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'])

/** Whether an address belongs to the public internet: written from the registries, with none of the code under test. */
export const isPublicAddress = (address: string): boolean => {
  if (isIPv4(address)) return !SPECIAL_4.check(address, 'ipv4')
  return isIPv6(address) && GLOBAL_6.check(address, 'ipv6') && !SPECIAL_6.check(address, 'ipv6')
}
