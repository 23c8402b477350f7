// Run as a process of its own: the demo with an expectation that cannot come true.
import { newPlot } from '../../src/cli/demo/plot.ts'
import { runDemo } from '../../src/cli/demo/run.ts'

const plot = newPlot()
const [first, ...others] = plot.scenes
if (first === undefined) throw new Error('the plot is empty')
const wrong = { ...first, expected: { ...first.expected, state: 'refunded' as const } }
const { differences } = await runDemo({}, { ...plot, scenes: [wrong, ...others] })
if (differences.length > 0) process.exitCode = 1
