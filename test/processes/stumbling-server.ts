// Run as a process of its own: the server as it always is, and an error that nobody foresaw.
import { serve } from '../../src/app/serve.ts'

await serve()
void Promise.reject(new Error('nobody foresaw this'))
