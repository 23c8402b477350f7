import { describe, expect, test } from 'vitest'
import { shouldersOf } from '../../src/adapters/preview/torso.ts'
import { hostRules } from '../../src/pictures/hosts.ts'
import { lettering, widthPx } from '../../src/pictures/lettering.ts'
import { sniff } from '../../src/pictures/sniff.ts'

const box = (brand: string) => `0000001c66747970${Buffer.from(brand).toString('hex')}00000000`

describe('sniff', () => {
  test.each([
    ['ffd8ffe000104a46', 'jpeg'],
    ['89504e470d0a1a0a0000', 'png'],
    ['474946383961', 'gif'],
    ['524946460000000057454250', 'webp'],
    [box('avif'), 'avif'],
    [box('heic'), 'heif'],
    [box('mp42'), null],
    ['49492a00', null],
    [Buffer.from('<svg xmlns=').toString('hex'), null],
    ['', null],
    ['ffd8', null],
  ])('%s is %s', (hex, format) => {
    expect(sniff(Buffer.from(hex, 'hex'))).toBe(format)
  })
})

const refusesUrl = (hosts: readonly string[], url: string) => hostRules(hosts).refusesUrl(new URL(url))

describe('image hosts: without any', () => {
  const LOOPBACK = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '0x7f000001',
    '127.0.0.1.',
    '１２７.0.0.1',
    '[::1]',
  ]
  const MAPPED = [
    '[::ffff:127.0.0.1]',
    '[::ffff:8.8.8.8]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b:1::a00:1]',
    '[2002:7f00:1::]',
  ]
  const SPECIAL = [
    '0.0.0.0',
    '10.0.0.1',
    '172.31.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '192.0.0.8',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '192.0.2.1',
  ]
  const SPECIAL6 = [
    '[::]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[fec0::1]',
    '[ff02::1]',
    '[2001:db8::1]',
    '[2001::1]',
    '[100::1]',
    '[4000::1]',
    '[5f00::1]',
    '[3fff::1]',
  ]
  test.each([...LOOPBACK, ...MAPPED, ...SPECIAL, ...SPECIAL6])('the literal %s is refused', (host) => {
    expect(refusesUrl([], `http://${host}/a.jpg`)).toBe('the address is not public')
  })

  test.each(['http://8.8.8.8/', 'https://[2606:4700::1111]/', 'https://images.example.com:8443/'])(
    '%s is allowed',
    (url) => {
      expect(refusesUrl([], url)).toBeNull()
    },
  )

  test.each(['ftp://a/', 'file:///etc/passwd', 'data:image/png,x', 'http://user@a/', 'http://:pass@a/'])(
    '%s is refused',
    (url) => {
      expect(refusesUrl([], url)).not.toBeNull()
    },
  )

  test.each(['127.0.0.1', '::1', '::ffff:1.2.3.4', '169.254.169.254', 'fe80::1%eth0', 'nonsense'])(
    'a name that leads to %s is refused',
    (address) => {
      expect(hostRules([]).refusesAddress('rebind.example.com', address)).toBe('the address is not public')
    },
  )
})

describe('image hosts: named', () => {
  test('only those are asked, with their port where one is named', () => {
    const hosts = ['cdn.example.com', 'minio:9000', '[::1]:8000', '10.0.0.5']
    for (const url of [
      'https://CDN.example.com./a',
      'http://cdn.example.com:81/',
      'http://minio:9000/',
      'http://[::1]:8000/',
      'http://10.5/',
    ])
      expect(refusesUrl(hosts, url)).toBeNull()
    for (const url of [
      'https://example.com/',
      'https://cdn.example.com.evil.com/',
      'http://minio/',
      'http://[::1]/',
      'http://10.0.0.6/',
    ])
      expect(refusesUrl(hosts, url)).toBe('the host is not among IMAGE_HOSTS')
    expect(refusesUrl(['a:443'], 'https://a/')).toBeNull()
  })

  test('a local name may lead into the own network, but never to where machines keep their credentials', () => {
    const rules = hostRules(['minio', 'cdn.example.com'])
    expect(rules.refusesAddress('minio', '172.18.0.4')).toBeNull()
    expect(rules.refusesAddress('minio', '169.254.169.254')).not.toBeNull()
    expect(rules.refusesAddress('minio', '::ffff:169.254.169.254')).not.toBeNull()
    expect(rules.refusesAddress('minio', 'fd00:ec2::254')).not.toBeNull()
  })

  test('a public name leads into the own network only to an address that is named too', () => {
    expect(hostRules(['cdn.example.com']).refusesAddress('cdn.example.com', '10.0.0.5')).not.toBeNull()
    expect(hostRules(['cdn.example.com', '10.0.0.5']).refusesAddress('cdn.example.com', '10.0.0.5')).toBeNull()
  })

  test.each(['http://a', 'a/b', 'a:b', 'a:70000', 'a b', 'u@a', ''])(
    'the entry %j is an error that names it',
    (entry) => {
      expect(() => hostRules([entry])).toThrow(`"${entry}" is neither host nor host:port`)
    },
  )
})

describe('shoulders', () => {
  const rows = (...parts: [count: number, width: number][]) =>
    parts.flatMap(([count, width]) => Array.from({ length: count }, () => ({ from: 60 - width / 2, width })))

  test('are where the silhouette becomes much wider than the head', () => {
    const found = shouldersOf(rows([10, 0], [20, 14], [4, 10], [60, 40], [60, 24]))
    expect(found).toMatchObject({ centreX: 0.5, width: 40 / 120 })
    expect(found?.y).toBeCloseTo(34 / 154)
  })

  test.each([[rows([150, 0])], [rows([150, 120])], [rows([10, 0], [140, 14])]])(
    'are not guessed from what is no person',
    (silhouette) => {
      expect(shouldersOf(silhouette)).toBeNull()
    },
  )
})

describe('lettering', () => {
  test('draws every letter of the alphabet as strokes', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
    expect(lettering({ text: alphabet, heightPx: 12, strokePx: 1, color: '#000' }).match(/<path/g)).toHaveLength(26)
    expect(widthPx({ text: 'II', heightPx: 6 })).toBeCloseTo(1.8)
  })
})
