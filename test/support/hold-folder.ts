// Run as a process of its own: locks the folder named on the command line, says so, and keeps it until it is killed.
import { lockFolder } from '../../src/adapters/postgres/lock.ts'

const [folder = '', url] = process.argv.slice(2)
const lock = lockFolder(folder)
if (url !== undefined) lock.announce(url)
process.stdout.write('locked\n')
setInterval(() => lock, 60_000)
