type Known = number | undefined

/** What becomes of uniform operands, rounded as float32 arithmetic rounds; `undefined` operands give NaN, which never gets that far. */
const arithmetic: { readonly [op: string]: (a: number, b: number) => number } = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Neg: (a) => -a,
  Sqrt: (a) => Math.sqrt(a),
  Reciprocal: (a) => 1 / a,
  Identity: (a) => a
}

/** Operators that spread or rearrange their first operand. */
const moves = new Set(["Reshape", "Expand", "Transpose", "Tile", "Slice"])

/** The number that all elements of a node's result are, from the numbers that all elements of its operands are; `undefined` where that is not known. */
export const uniformResult = (op: string, operands: ReadonlyArray<Known>): Known => {
  const [a, b] = operands
  if (moves.has(op)) return a
  const apply = arithmetic[op]
  if (apply === undefined || operands.some((each) => each === undefined)) return undefined
  const result = Math.fround(apply(a ?? Number.NaN, b ?? Number.NaN))
  return Number.isFinite(result) ? result : undefined
}
