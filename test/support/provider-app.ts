import { Client } from '../../src/cli/client.ts'
import { newDataFolder, removeFolder } from './data-folder.ts'
import { type OpenaiServer, startOpenai } from './openai-server.ts'
import { end, type Server, startServer } from './server-process.ts'

/** A server process on a folder of its own that makes its images with the provider's double. */
export interface ProviderApp {
  readonly openai: OpenaiServer
  readonly server: Server
  readonly client: Client
  /** Ends all of it, and removes the folder. */
  close(): Promise<void>
}

/** `env`: what the process gets besides the provider's key and address; `file`: another program than the usual one. */
export const startWithProvider = async (
  env: Readonly<Record<string, string>> & { readonly file?: string },
): Promise<ProviderApp> => {
  const [folder, openai] = [await newDataFolder(), await startOpenai()]
  const provider = { OPENAI_API_KEY: openai.apiKey, OPENAI_BASE_URL: openai.url }
  const server = await startServer(folder, { ...provider, ...env })
  return {
    openai,
    server,
    client: new Client(server.url),
    close: async () => {
      await end(server)
      await openai.close()
      await removeFolder(folder)
    },
  }
}
