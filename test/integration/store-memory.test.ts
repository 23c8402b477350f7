import { platformContract } from '../contracts/platform.ts'
import { reconciliationContract } from '../contracts/reconciliation.ts'
import { settlementContract } from '../contracts/settlement.ts'
import { storeContract } from '../contracts/store.ts'
import { memoryStoreWorld } from '../support/memory-store-world.ts'

platformContract('memory', async () => memoryStoreWorld())
settlementContract('memory', async () => memoryStoreWorld())
reconciliationContract('memory', async () => memoryStoreWorld())
storeContract('memory', async () => memoryStoreWorld())
