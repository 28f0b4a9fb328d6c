/** The error function by its Taylor series, which converges for every argument: erf z = 2/√π Σ (-1)ⁿ z²ⁿ⁺¹ / (n! (2n + 1)). */
const erf = (z: number): number => {
  if (Math.abs(z) > 5) return Math.sign(z)
  let [term, total] = [z, z]
  for (let n = 1; n < 120; n++) {
    term *= -(z * z) / n
    total += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * total
}

/** z Φ(z), in double precision. */
export const gelu = (z: number): number => (z * (1 + erf(z / Math.SQRT2))) / 2

/** z Φ(z) by the tanh approximation, the tanh from exponentials of its definition. */
export const geluTanh = (z: number): number => {
  const twice = 2 * Math.sqrt(2 / Math.PI) * (z + 0.044715 * z ** 3)
  return z - z / (1 + Math.exp(twice))
}

/** z / (1 + e^(-αz)). */
export const swish =
  (alpha: number) =>
  (z: number): number =>
    z / (1 + Math.exp(-alpha * z))
