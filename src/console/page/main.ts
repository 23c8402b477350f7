import { startConsole } from './shell.ts'

startConsole(document.body)
