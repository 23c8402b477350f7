import { type AnyStateMachine, createMachine } from 'xstate'
import { compile, type SessionTable } from '../../src/machines/compile.ts'
import { sessionMachine } from '../../src/machines/session.ts'

type Json = Record<string, unknown>

/** The session machine as a deployment might change it: `change` edits the definition of its states. */
export const machineVariant = (change: (states: Record<string, { on: Json }>) => void): SessionTable => {
  const config = structuredClone(sessionMachine.config) as Json
  change(config['states'] as Record<string, { on: Json }>)
  return compile(createMachine(config as never, sessionMachine.implementations as never) as AnyStateMachine)
}
