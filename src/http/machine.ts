import { z } from 'zod'
import { chartOf } from '../machines/chart.ts'
import { sessionMachine } from '../machines/session.ts'
import { ofKnown } from './access.ts'
import { type Route, route } from './route.ts'

const MachineAnswer = z.strictObject({
  initial: z.string(),
  states: z.array(z.strictObject({ name: z.string(), owes: z.string().nullable(), final: z.boolean() })),
  moves: z.array(z.strictObject({ from: z.string(), to: z.string(), fact: z.string(), guard: z.string().nullable() })),
})

/** The session machine as this process runs it, so that whoever draws it draws no other. */
export const machineRoutes = (): Route[] => [
  route({
    method: 'get',
    path: '/v1/machine',
    title: 'The life of a session: its states, and which facts move it',
    access: ofKnown,
    answer: MachineAnswer,
    handle: () => ({ status: 200, body: chartOf(sessionMachine) }),
  }),
]
