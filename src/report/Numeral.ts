/**
 * A number with so many digits after the point, with a true minus sign (−) and no negative zero.
 *
 * @example
 * ```ts
 * import { Numeral } from "homodistil/report"
 * assert.equal(Numeral.fixed(-0.1002, 3), "−0.100")
 * assert.equal(Numeral.fixed(-0.0001, 3), "0.000")
 * ```
 */
export const fixed = (value: number, digits: number): string => {
  const text = Math.abs(value).toFixed(digits)
  return value < 0 && Number(text) !== 0 ? `−${text}` : text
}

/** A difference: as `fixed`, with a plus sign where it is positive. */
export const signed = (value: number, digits: number): string => {
  const text = fixed(value, digits)
  return value > 0 && Number(text) !== 0 ? `+${text}` : text
}

/** A p-value to three digits: `p = 0.012`, or `p < 0.001`. */
export const pValue = (p: number): string => (p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`)

/** A mean with half its interval, `1.472 ± 0.019`; the mean alone where its spread is unknown. */
export const plusMinus = (mean: string, halfWidth: number | null, digits: number): string =>
  halfWidth === null ? mean : `${mean} ± ${fixed(halfWidth, digits)}`

/** The number of a p-value alone: `0.012`, or `< 0.001`. */
export const probability = (p: number): string => (p < 0.001 ? "< 0.001" : p.toFixed(3))

/**
 * A number as it is, with commas between thousands and a true minus sign.
 *
 * @example
 * ```ts
 * import { Numeral } from "homodistil/report"
 * assert.equal(Numeral.plain(1353216), "1,353,216")
 * assert.equal(Numeral.plain(-84.5), "−84.5")
 * ```
 */
export const plain = (value: number): string =>
  value.toLocaleString("en-US", { maximumFractionDigits: 20 }).replace("-", "−")
