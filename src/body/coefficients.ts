import fitted from './coefficients.json' with { type: 'json' }
import type { Coefficients } from './model.ts'

/** What `npm run fit-body` made of ANSUR II; its provenance stands at the head of the file. */
export const coefficients: Coefficients = fitted
