import { InvalidArgumentError } from 'commander'

/** Reads an option that takes a whole number from 1 on. */
export const wholeNumber = (text: string): number => {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('A whole number from 1 on is needed.')
  return number
}
