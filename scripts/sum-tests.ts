// Adds up the results that vitest left in a folder (TEST_RESULTS) and prints them as one line. No test at all is a failure.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const Result = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  numTodoTests: z.int(),
})

const folder = process.argv[2]
if (folder === undefined) throw new Error('usage: sum-tests.ts FOLDER')

const results = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => Result.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))))

const passed = sum((result) => result.numPassedTests)
const failed = sum((result) => result.numFailedTests)
const skipped = sum((result) => result.numPendingTests + result.numTodoTests)

console.log(`tests: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
if (failed > 0 || passed === 0) process.exitCode = 1

function sum(count: (result: z.infer<typeof Result>) => number): number {
  return results.reduce((total, result) => total + count(result), 0)
}
