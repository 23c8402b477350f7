import { failureOf } from '../app/failure.ts'
import { CommandFailed } from './client.ts'
import { newProgram } from './program.ts'

try {
  await newProgram().parseAsync()
} catch (error) {
  const { exitCode, text } = error instanceof CommandFailed ? { exitCode: 1, text: error.message } : failureOf(error)
  console.error(`wearon: ${text}`)
  process.exitCode = exitCode
}
