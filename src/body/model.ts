import type { Length, Level } from './features.ts'

/** Whose bodies the coefficients were fitted on; `unknown` where nobody said: both. It is never guessed. */
export const SEX_CLASSES = ['male', 'female', 'unknown'] as const
export type SexClass = (typeof SEX_CLASSES)[number]

/** What is estimated, each as ANSUR II defines it; `shoulder` is the biacromial breadth, `inseam` the crotch height. */
export const OUTPUTS = ['chest', 'waist', 'hip', 'shoulder', 'inseam'] as const
export type Output = (typeof OUTPUTS)[number]

/** value = intercept + weights · vector */
export interface Linear {
  readonly intercept: number
  readonly weights: readonly number[]
}

/** output / stature as a linear function of `featureVector`, and how far from it people were. */
export interface Regression extends Linear {
  /** Standard deviation of (true − estimated) / estimated. */
  readonly relativeSd: number
  /** 80 % of people lie within this share of the estimate. */
  readonly relativeHalf80: number
}

/** From what the camera sees to what a caliper would have read: see `calibrated`. */
export interface Instrument {
  /** caliper = factor × seen */
  readonly lengths: Readonly<Record<Length, number>>
  /** caliper / stature, of `widthVector` */
  readonly widths: Readonly<Record<Level, Linear>>
  /** caliper = factor × seen */
  readonly depths: Readonly<Record<Level, number>>
}

/** Where people differ: shares of their own kind, of ANSUR II. */
export interface Shapes {
  /** waist / stature below which a quarter of people lie, and above which a quarter do. */
  readonly slimBelow: number
  readonly broadAbove: number
  /** chest / waist above which a third of those between lie. */
  readonly athleticAbove: number
}

/** Mean and standard deviation of length / stature among both sexes. */
export type Proportions = Readonly<Record<Length, { readonly mean: number; readonly sd: number }>>

/** All that `npm run fit-body` writes. */
export interface Coefficients {
  readonly models: Readonly<Record<SexClass, Readonly<Record<string, Readonly<Record<Output, Regression>>>>>>
  readonly instruments: Readonly<Record<SexClass, Instrument>>
  readonly shapes: Readonly<Record<SexClass, Shapes>>
  readonly proportions: Proportions
}

/** The value of a linear function; NaN where the vector is too short, so that it shows. */
export function applied(model: Linear, vector: readonly number[]): number {
  return model.weights.reduce((sum, weight, index) => sum + weight * (vector[index] ?? Number.NaN), model.intercept)
}
