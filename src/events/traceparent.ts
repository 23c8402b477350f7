import { z } from 'zod'

/** `00-<trace id>-<parent id>-<flags>` (W3C Trace Context, level 1): which request brought this about. */
const Traceparent = z.string().regex(/^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/)

/** One that cannot be read is no reason to refuse what it comes with: a trace of its own begins (section 3.2.2.3). */
export const GivenTraceparent = z.unknown().transform((value) => Traceparent.safeParse(value).data)
