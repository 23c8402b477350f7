import { page as audit } from './audit.ts'
import { page as body } from './body.ts'
import { page as deadLetters } from './dead-letters.ts'
import { page as deadLetter } from './dead-letters-one.ts'
import { page as health } from './health.ts'
import { page as keys } from './keys.ts'
import type { Page } from './lib/page.ts'
import { page as orphans } from './orphans.ts'
import { page as projections } from './projections.ts'
import { page as reconciliation } from './reconciliation.ts'
import { page as refunds } from './refunds.ts'
import { page as refund } from './refunds-one.ts'
import { page as session } from './session.ts'
import { page as sessions } from './sessions.ts'

/** Every page of the console, in the order of the navigation; the first is where one begins. */
export const pages: readonly Page[] = [
  sessions,
  session,
  deadLetters,
  deadLetter,
  refunds,
  refund,
  reconciliation,
  orphans,
  projections,
  keys,
  audit,
  body,
  health,
]
