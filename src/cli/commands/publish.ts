import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { z } from 'zod'
import { drawGarment, drawPerson } from '../../pictures/draw.ts'
import { type Client, CommandFailed } from '../client.ts'
import { readPicture } from '../demo/pictures.ts'
import { talksToServer } from '../options.ts'
import { serverOf } from '../server.ts'
import { watchSession } from '../watch-session.ts'

interface PublishOptions {
  readonly task?: string
  readonly user?: string
  readonly store?: string
  readonly shopper?: string
  readonly session?: string
  readonly person?: string
  readonly garment?: string
  readonly prompt?: string
  readonly charge?: boolean
  readonly watch?: boolean
  readonly json?: boolean
}

/** `wearon publish`: hands a task to a running server. */
export const addPublish = (program: Command): void => {
  const command = program
    .command('publish')
    .description('publish a task; what is not given is made up (ids) or drawn (pictures)')
    .addOption(new Option('--task <file>', 'a whole task as JSON').conflicts(['user', 'store', 'person', 'garment']))
    .addOption(new Option('--user <uuid>', 'the user whose session it is (channel b2c)').conflicts('store'))
    .option('--store <uuid>', 'the store whose session it is (channel b2b)')
    .option('--shopper <email>', "the store's shopper who pays, with --charge")
    .option('--session <uuid>', 'the session')
    .option('--person <file or URL>', 'the picture of a person')
    .option('--garment <file or URL>', 'the picture of a garment')
    .option('--prompt <text>', 'instead of the default prompt')
    .option('--charge', 'play the producer first: account, charge and session row (embedded database only)')
    .option('--watch', 'show its facts until it has ended')
  talksToServer(command).action(publish)
}

const Accepted = z.looseObject({ session_id: z.string() })

const publish = async (options: PublishOptions, command: Command): Promise<void> => {
  const server = serverOf(command)
  const task = options.task === undefined ? await newTask(options, server) : await readTask(options.task)
  if (options.charge) {
    const shopper = options.shopper === undefined ? {} : { shopper_email: options.shopper }
    const charge = options.shopper === undefined ? 'account' : 'shopper'
    await server.post('/v1/rehearsal/orders', { ...task, charge, ...shopper }, Accepted)
  }
  const accepted = await server.post('/v1/generations', task, Accepted)
  if (options.json) console.log(JSON.stringify(accepted))
  else console.log(`accepted: session ${accepted.session_id}\n  ${server.url}/v1/generations/${accepted.session_id}`)
  if (options.watch) await watchSession(server, accepted.session_id)
}

const readTask = async (file: string): Promise<object> => {
  try {
    return z.looseObject({}).parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    throw new CommandFailed(`${file} is no task in JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** A task as a producer would push it. */
const newTask = async (options: PublishOptions, server: Client): Promise<object> => ({
  task_id: randomUUID(),
  ...(options.store === undefined
    ? { channel: 'b2c', user_id: options.user ?? randomUUID() }
    : { channel: 'b2b', store_id: options.store }),
  session_id: options.session ?? randomUUID(),
  image_urls: [
    await pictureUrl(options.person, drawPerson, server),
    await pictureUrl(options.garment, drawGarment, server),
  ],
  prompt: options.prompt ?? '',
  request_id: `req_${randomUUID()}`,
  version: 1,
  created_at: new Date().toISOString(),
})

/** A URL as it is; a file, or a drawing where none is given, is uploaded to the server. */
const pictureUrl = async (
  given: string | undefined,
  draw: (seed: number) => Promise<Uint8Array>,
  server: Client,
): Promise<string> => {
  if (given !== undefined && /^https?:\/\//i.test(given)) return given
  return server.upload(given === undefined ? await draw(Math.floor(Math.random() * 100)) : await readPicture(given))
}
