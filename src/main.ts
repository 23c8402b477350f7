import { serve } from './app/serve.ts'

// The container's entry: everything is said by the environment.
await serve()
