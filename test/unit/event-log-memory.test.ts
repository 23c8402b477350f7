import { eventLogContract } from '../contracts/event-log.ts'
import { journalReadersContract } from '../contracts/journal-readers.ts'
import { memoryLogWorld } from '../support/memory-log-world.ts'

eventLogContract('memory', async (shape) => memoryLogWorld(shape))
journalReadersContract('memory', async (shape) => memoryLogWorld(shape))
