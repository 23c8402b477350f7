import { FORMAT } from '../../machines/ports/event-log.ts'

/** @throws for what a newer program wrote. @param what names it, for whoever has to update this one. */
export const refuseNewer = (format: number, what: string): void => {
  if (format > FORMAT)
    throw new Error(`${what} has format ${format}, and this program reads up to ${FORMAT}: update it`)
}
