import { expect } from 'vitest'
import { openEmbedded } from '../../src/adapters/postgres/embedded.ts'
import { Client } from '../../src/cli/client.ts'
import { SessionId } from '../../src/events/ids.ts'
import { sessionTable } from '../../src/machines/compile.ts'
import { violations } from '../../src/projections/invariants.ts'
import { eventually } from './eventually.ts'
import { readEvidence } from './evidence.ts'
import { publishDrawn, reaches } from './rehearse.ts'
import { type Server, wearon } from './server-process.ts'

/** Publishes a session and waits until it is completed. */
export const complete = async (server: Server): Promise<SessionId> => {
  const client = new Client(server.url)
  const session = SessionId.parse(await publishDrawn(client))
  await reaches(client, session, 'completed')
  return session
}

/** Waits until the server says that these partitions, and no others, are damaged. */
export const isDamaged = (server: Server, partitions: readonly number[]): Promise<void> =>
  eventually(async () => {
    const ready = await fetch(`${server.url}/readyz`)
    expect(await ready.json()).toMatchObject({ damaged_partitions: partitions })
    expect(ready.status).toBe(partitions.length === 0 ? 200 : 503)
  })

/** Repairs partition 0, which lost what happened to one session and wrote nothing since. */
export const repairOne = async (folder: string): Promise<void> => {
  const repaired = await wearon(['repair', '0', '--json'], { DATA_DIR: folder })
  expect(repaired).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(repaired.stdout)).toMatchObject({ restored: 1, kept: 0, voided: 0 })
}

/** Every promise holds by what lies in the folder of a server that ended, and these sessions are all that it knows. */
export const holdsAll = async (folder: string, sessions: readonly SessionId[]): Promise<void> => {
  const sql = await openEmbedded(folder)
  const evidence = await readEvidence(sql, new Set(sessions))
  await sql.close()
  expect(violations(sessionTable, evidence, { atRest: true })).toEqual([])
  expect([...evidence.facts.keys()].toSorted()).toEqual(sessions.toSorted())
}
