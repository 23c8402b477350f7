/** Why pictures cannot be used: an expected outcome, told by the code of the failure that it leads to. */
export interface PictureProblem {
  /** `input_rejected`: other pictures are needed. `input_unavailable`: the same ones may work later. */
  readonly code: 'input_rejected' | 'input_unavailable'
  /** For operators: never a URL, and nothing that a server or a picture said in its own words. */
  readonly detail: string
}

export const rejected = (detail: string): PictureProblem => ({ code: 'input_rejected', detail })
export const unavailable = (detail: string): PictureProblem => ({ code: 'input_unavailable', detail })
