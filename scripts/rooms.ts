import type { IForbiddenRuleType } from 'dependency-cruiser'

/**
 * Which rooms of src/ a room may import besides itself, as paths below src/ without their ending.
 * A file outside of these is refused, so that a new room first says where it stands.
 */
const ROOMS: Record<string, string[]> = {
  events: [],
  tracing: [],
  machines: ['events', 'tracing'],
  projections: ['events', 'machines'],
  pictures: ['events', 'tracing'],
  body: [],
  metrics: ['events', 'machines', 'projections'],
  simulation: ['events', 'machines', 'projections', 'adapters/memory'],
  http: ['events', 'machines', 'projections', 'pictures', 'body', 'metrics', 'tracing'],
  'adapters/shared': ['events', 'machines', 'projections', 'pictures'],
  // Runs in browsers.
  console: [],
  config: ['events', 'machines'],
}

/** What every folder src/adapters/VENDOR may import besides itself: never another vendor's folder. */
const ADAPTER_MAY_IMPORT = ['events', 'machines', 'projections', 'pictures', 'body', 'adapters/shared']

/** They put the program together, so they may import every room; and no room may import them. */
const ASSEMBLY = ['main', 'app', 'cli']

/** Packages that only these rooms may import: nothing else names a vendor, or knows that there is HTTP. */
const PACKAGES: Record<string, string[]> = {
  pg: ['adapters'],
  '@electric-sql': ['adapters'],
  ioredis: ['adapters'],
  kafkajs: ['adapters'],
  '@supabase': ['adapters'],
  openai: ['adapters'],
  sharp: ['adapters', 'pictures'],
  express: ['http'],
  'prom-client': ['http', 'metrics'],
  '@opentelemetry': ['tracing', 'app'],
  commander: ['cli'],
}

/** The rules of dependency-cruiser that hold these tables, and what holds everywhere: no cycle, no missing file. */
export function roomRules(): IForbiddenRuleType[] {
  return [
    ...Object.entries(ROOMS).map(([room, others]) => roomRule(room, others)),
    adapterRule(),
    outsideRule(),
    ...Object.entries(PACKAGES).map(([name, rooms]) => packageRule(name, rooms)),
    developmentPackageRule(),
    { name: 'no-cycle', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
    { name: 'no-missing-file', severity: 'error', from: { path: '^src/' }, to: { couldNotResolve: true } },
  ]
}

/** True when the tables above say what this file of src/ (as `src/room/file.ts`) may import. */
export function isInListedRoom(file: string): boolean {
  return new RegExp(inRooms([...Object.keys(ROOMS), 'adapters', ...ASSEMBLY])).test(file)
}

function roomRule(room: string, others: string[]): IForbiddenRuleType {
  return {
    name: `room-${room}`,
    severity: 'error',
    comment: `src/${room} may import ${others.join(', ') || 'no other room'}`,
    from: { path: inRooms([room]) },
    to: { path: '^src/', pathNot: inRooms([room, ...others]) },
  }
}

function adapterRule(): IForbiddenRuleType {
  return {
    name: 'room-adapters',
    severity: 'error',
    comment: `an adapter may import its own folder and ${ADAPTER_MAY_IMPORT.join(', ')}`,
    from: { path: '^src/adapters/([^/]+)', pathNot: inRooms(['adapters/shared']) },
    to: { path: '^src/', pathNot: `${inRooms(ADAPTER_MAY_IMPORT)}|^src/adapters/$1(?:/|[.]|$)` },
  }
}

function outsideRule(): IForbiddenRuleType {
  return {
    name: 'outside-src',
    severity: 'error',
    comment: 'the program needs nothing of test/, bench/, chaos/ and scripts/',
    from: { path: '^src/' },
    to: { path: '^(?:test|bench|chaos|scripts)/' },
  }
}

function packageRule(name: string, rooms: string[]): IForbiddenRuleType {
  return {
    name: `package-${name}`,
    severity: 'error',
    comment: `only ${rooms.join(' and ')} may import ${name}`,
    from: { path: '^src/', pathNot: inRooms(rooms) },
    // A package that is not installed keeps its bare name; a package with types of its own maker lies in @types.
    to: { path: `(?:^|node_modules/)(?:@types/)?${name}(?:/|$)` },
  }
}

function developmentPackageRule(): IForbiddenRuleType {
  return {
    name: 'development-package',
    severity: 'error',
    comment: 'src/ runs on what package.json lists as dependencies, not as devDependencies',
    from: { path: '^src/' },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'], pathNot: 'node_modules/@types/' },
  }
}

function inRooms(rooms: string[]): string {
  return `^src/(?:${rooms.join('|')})(?:/|[.]|$)`
}
