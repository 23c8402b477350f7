import { expect, it } from 'vitest'
import type { JournalReader } from '../../../src/machines/ports/journal-readers.ts'
import { ReaderWatch } from '../../../src/projections/reader-watch.ts'

const NOW = Date.UTC(2026, 5, 1)
const minutesAgo = (minutes: number) => new Date(NOW - minutes * 60_000).toISOString()
const reader = (name: string, behind = 0, waitsSince: string | null = null): JournalReader => ({
  name,
  behind,
  waitsSince,
})

const watching = () => {
  let readers: JournalReader[] = []
  const gauges = new Map<string, number>()
  const lines: string[] = []
  const say = (level: string) => (fields: object) => lines.push(`${level} ${(fields as { reader: string }).reader}`)
  const watch = new ReaderWatch(
    { list: async () => readers, remove: async () => false },
    {
      clock: { now: () => NOW, sleep: async () => undefined },
      meter: {
        count: () => undefined,
        observe: () => undefined,
        gauge: (name, value, labels) => gauges.set(`${name} ${labels?.['reader']}`, value),
      },
      logger: { info: say('info'), warn: say('warn'), error: say('error') },
    },
  )
  const look = async (...now: JournalReader[]) => {
    readers = now
    lines.length = 0
    await watch.look()
    return [...lines]
  }
  return { look, gauges }
}

it('warns once when a reader begins to lag, in time or in steps, and says when it caught up', async () => {
  const { look } = watching()
  expect(await look(reader('a', 5, minutesAgo(1)), reader('b'))).toEqual([])
  expect(await look(reader('a', 5, minutesAgo(16)), reader('b', 100_001, minutesAgo(1)))).toEqual(['warn a', 'warn b'])
  expect(await look(reader('a', 9, minutesAgo(17)), reader('b'))).toEqual(['info b'])
  expect(await look(reader('b', 100_001))).toEqual(['warn b'])
  expect(await look(reader('a', 9, minutesAgo(20)))).toEqual(['warn a'])
})

it('shows how far each is behind, and nothing for one that is gone', async () => {
  const { look, gauges } = watching()
  await look(reader('a', 5, minutesAgo(2)))
  expect(gauges.get('journal_reader_behind_steps a')).toBe(5)
  expect(gauges.get('journal_reader_waits_seconds a')).toBe(120)
  await look()
  expect(gauges.get('journal_reader_behind_steps a')).toBe(0)
  expect(gauges.get('journal_reader_waits_seconds a')).toBe(0)
})

it('shows no more readers than a metric bears, and warns of all', async () => {
  const { look, gauges } = watching()
  const many = Array.from({ length: 60 }, (_, nth) => reader(`r${nth}`, 1, minutesAgo(30)))
  expect(await look(...many)).toHaveLength(60)
  expect([...gauges.keys()].filter((key) => key.startsWith('journal_reader_behind_steps'))).toHaveLength(50)
})
