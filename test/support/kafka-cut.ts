import { readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'

/** Offset, length, and what stands before the length ends it. */
const HEADER_BYTES = 12

/**
 * Cuts a topic's partition back in the folder of a broker that is down, as a power cut or a restored volume does: the batch with
 * the offset and all behind it are gone.
 */
export const cutTail = async (folder: string, topic: string, partition: number, offset: number): Promise<void> => {
  // Tests write too little for a second segment.
  const file = join(folder, `${topic}-${partition}`, '00000000000000000000.log')
  const bytes = await readFile(file)
  let at = 0
  while (at + HEADER_BYTES <= bytes.length && Number(bytes.readBigInt64BE(at)) < offset)
    at += HEADER_BYTES + bytes.readInt32BE(at + 8)
  if (at >= bytes.length) throw new Error(`${file} ends before offset ${offset}`)
  await truncate(file, at)
}
