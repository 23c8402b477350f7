/** The share of a normal distribution around 0 that lies below `x`; Abramowitz and Stegun 7.1.26, exact to 1.5e-7. */
export function normalBelow(x: number, sd: number): number {
  const z = Math.abs(x) / (sd * Math.SQRT2)
  const t = 1 / (1 + 0.3275911 * z)
  const polynomial = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
  const erf = 1 - polynomial * Math.exp(-z * z)
  return (1 + Math.sign(x) * erf) / 2
}
