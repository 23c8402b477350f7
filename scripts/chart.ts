import { writeFileSync } from 'node:fs'
import { chartPage } from '../src/machines/chart.ts'
import { sessionMachine } from '../src/machines/session.ts'

// Writes the session's chart anew; a test compares the file with the machine.
writeFileSync(new URL('../docs/session-chart.md', import.meta.url), chartPage(sessionMachine))
