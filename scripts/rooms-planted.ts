interface Planted {
  /** Where the file stands in the small project that is built of these cases. */
  file: string
  text: string
  /** The rule that must name this file; none when it keeps to the directions. */
  rule?: string
}

/** One file per kind of import and per rule: most break a direction, the others keep to it and must not be named. */
export const PLANTED: Planted[] = [
  good('events/good.ts', "import { z } from './other.ts'\nexport const good = z"),
  good('events/other.ts', 'export const z = 1'),
  good('machines/good.ts', "import { good } from '../events/good.ts'\nexport const machine = good"),
  good('projections/good.ts', "import { machine } from '../machines/good.ts'\nexport const projection = machine"),
  good('pictures/good.ts', "import sharp from 'sharp'\nexport const picture = sharp"),
  good('adapters/shared/good.ts', "import { z } from '../../events/other.ts'\nexport const shared = z"),
  good('adapters/memory/good.ts', "export { shared } from '../shared/good.ts'"),
  good('adapters/postgres/good.ts', "import pg from 'pg'\nimport './inner.ts'\nexport const pool = pg"),
  good('adapters/postgres/inner.ts', "export { picture } from '../../pictures/good.ts'"),
  good('simulation/good.ts', "export * from '../adapters/memory/good.ts'"),
  good('http/good.ts', "export { projection } from '../projections/good.ts'"),
  good('config.ts', "export { z } from './events/other.ts'"),
  good('cli/good.ts', "export * from '../http/good.ts'\nexport * from '../adapters/postgres/good.ts'"),
  good('main.ts', "export * from './app/good.ts'\nexport * from './config.ts'"),
  good('app/good.ts', "export * from '../adapters/postgres/good.ts'"),

  bad('events/value.ts', "import { machine } from '../machines/good.ts'\nexport const x = machine", 'room-events'),
  bad('events/type.ts', "import type { machine } from '../machines/good.ts'\nexport type X = machine", 'room-events'),
  bad('events/export.ts', "export * from '../machines/good.ts'", 'room-events'),
  bad('events/export-type.ts', "export type { machine } from '../machines/good.ts'", 'room-events'),
  bad('events/dynamic.ts', "export const x = () => import('../machines/good.ts')", 'room-events'),
  bad('events/side-effect.ts', "import '../config.ts'", 'room-events'),
  bad('machines/projections.ts', "export * from '../projections/good.ts'", 'room-machines'),
  bad('machines/adapters.ts', "export * from '../adapters/memory/good.ts'", 'room-machines'),
  bad('projections/http.ts', "export * from '../http/good.ts'", 'room-projections'),
  bad('projections/main.ts', "export * from '../main.ts'", 'room-projections'),
  bad('pictures/machines.ts', "export * from '../machines/good.ts'", 'room-pictures'),
  bad('simulation/postgres.ts', "export * from '../adapters/postgres/good.ts'", 'room-simulation'),
  bad('http/adapters.ts', "export * from '../adapters/memory/good.ts'", 'room-http'),
  bad('http/config.ts', "export * from '../config.ts'", 'room-http'),
  bad('adapters/postgres/memory.ts', "export * from '../memory/good.ts'", 'room-adapters'),
  bad('adapters/postgres-other/prefix.ts', "export * from '../postgres/good.ts'", 'room-adapters'),
  bad('adapters/memory/http.ts', "export * from '../../http/good.ts'", 'room-adapters'),
  bad('adapters/shared/vendor.ts', "export * from '../memory/good.ts'", 'room-adapters/shared'),
  bad('elsewhere/lonely.ts', 'export const x = 1', 'unlisted-room'),
  bad('stray.ts', 'export const x = 1', 'unlisted-room'),
  bad('main-scripts.ts', 'export const x = 1', 'unlisted-room'),

  bad('app/test.ts', "export * from '../../test/helper.ts'", 'outside-src'),
  { file: 'test/helper.ts', text: 'export const helper = 1' },
  bad('machines/pg.ts', "import pg from 'pg'\nexport const x = pg", 'package-pg'),
  bad('http/pg-type.ts', "import type { Pool } from 'pg'\nexport type X = Pool", 'package-pg'),
  bad('app/pg.ts', "import pg from 'pg'\nexport const x = pg", 'package-pg'),
  bad('machines/not-installed.ts', "import { Kafka } from 'kafkajs'\nexport const x = Kafka", 'package-kafkajs'),
  bad(
    'cli/scoped.ts',
    "import { PGlite } from '@electric-sql/pglite'\nexport const x = PGlite",
    'package-@electric-sql',
  ),
  bad(
    'app/supabase.ts',
    "import { createClient } from '@supabase/supabase-js'\nexport const x = createClient",
    'package-@supabase',
  ),
  bad('events/sharp.ts', "import sharp from 'sharp'\nexport const x = sharp", 'package-sharp'),
  bad('app/express.ts', "import express from 'express'\nexport const x = express", 'package-express'),
  bad(
    'machines/prometheus.ts',
    "import { Counter } from 'prom-client'\nexport const x = Counter",
    'package-prom-client',
  ),
  bad('simulation/development.ts', "import fc from 'fast-check'\nexport const x = fc", 'development-package'),
  bad('machines/cycle-a.ts', "export * from './cycle-b.ts'\nexport const a = 1", 'no-cycle'),
  good('machines/cycle-b.ts', "import type { a } from './cycle-a.ts'\nexport type B = typeof a"),
  bad('events/missing.ts', "export * from './nowhere.ts'", 'no-missing-file'),
]

function good(path: string, text: string): Planted {
  return { file: `src/${path}`, text }
}

function bad(path: string, text: string, rule: string): Planted {
  return { file: `src/${path}`, text, rule }
}
