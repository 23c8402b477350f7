import { inSpan, linkTo } from '../../tracing/trace.ts'
import type { Commit } from '../ports/event-log.ts'
import type { Snapshot } from '../snapshot.ts'

/** Links that a span keeps; the rest of a large step is only counted. */
const LINKS_MAX = 100

/**
 * Commits a step in a span when sessions in it are traced: the commit of one alone belongs to its trace, that of several is a trace
 * of its own with a link to each.
 */
export const committing = async (
  commit: Commit,
  moved: Iterable<Snapshot>,
  work: () => Promise<void>,
): Promise<void> => {
  const traced: string[] = []
  for (const { context } of moved) if (context.traceparent !== undefined) traced.push(context.traceparent)
  if (traced.length === 0 || commit.step === null) return work()
  const { partition, number, facts } = commit.step
  const attributes = { partition, 'step.number': number, 'step.facts': facts.length, 'step.traced': traced.length }
  const [parent] = traced.length === 1 ? traced : []
  const links = traced.length === 1 ? [] : traced.slice(0, LINKS_MAX).flatMap(linkTo)
  return inSpan('step commit', { parent, links, attributes }, work)
}
