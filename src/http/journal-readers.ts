import { z } from 'zod'
import type { JournalReader } from '../machines/ports/journal-readers.ts'
import { ofService } from './access.ts'
import { NameAnswer, ReadersAnswer } from './answer-schemas.ts'
import type { HttpParts } from './parts.ts'
import { Problem, reach } from './problem.ts'
import { type Answer, type Route, route } from './route.ts'

/** As long as a name of a consumer group may be. */
const NAME_MAX = 255

/** Who follows the journals, and the way to end what a reader holds that will not come back. */
export const journalReaderRoutes = (parts: HttpParts): Route[] => [
  route({
    method: 'get',
    path: '/v1/journal-readers',
    title: 'Who follows the journals, and how far behind',
    answer: ReadersAnswer,
    access: ofService('operate'),
    handle: async () => ({ status: 200, body: { items: (await reach(parts.log.readers.list())).map(readerJson) } }),
  }),
  route({
    method: 'delete',
    path: '/v1/journal-readers/:name',
    title: 'Forget a reader that will not come back',
    answer: NameAnswer,
    access: ofService('operate'),
    action: 'reader.remove',
    params: z.strictObject({ name: z.string().max(NAME_MAX) }),
    handle: ({ params }) => remove(params.name, parts),
  }),
]

const readerJson = ({ name, behind, waitsSince }: JournalReader): object => ({
  name,
  behind_steps: behind,
  waits_since: waitsSince,
})

const remove = async (name: string, { log, env }: HttpParts): Promise<Answer> => {
  if (!(await reach(log.readers.remove(name)))) throw new Problem('reader_unknown')
  env.logger.info({ reader: name }, 'a reader of the journals was removed')
  return { status: 200, body: { name } }
}
