/** What is sent where a task has no words of its own. */
const DEFAULT_PROMPT =
  'Create one photorealistic photo of the person in the first image wearing the garment shown in the second image. ' +
  'If there are more images, they show accessories: add each of them where it is worn. ' +
  'Keep the person as they are: face, hair, skin, body shape, pose, hands and the background of the first image do not change. ' +
  'Replace only the clothing that the garment takes the place of. ' +
  'Keep the colour, pattern, fabric, print and cut of the garment and the accessories exactly, and let them fit and fall naturally ' +
  'on the body, with the folds, shadows and light of the first image. ' +
  'Show the whole outfit, add no text, logo, border or other people.'

export interface Words {
  readonly prompt: string
  /** Our own words, when they are what is sent; null otherwise. */
  readonly ours: string | null
}

/** The words to send: the task's own, or ours where it has none. */
export const wordsFor = (prompt: string): Words =>
  prompt.trim() === '' ? { prompt: DEFAULT_PROMPT, ours: DEFAULT_PROMPT } : { prompt, ours: null }
