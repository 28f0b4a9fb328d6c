/**
 * The factor that brings a gradient's Euclidean norm down to at most `limit` (Pascanu et al. 2013), as PyTorch's `clip_grad_norm_` does.
 *
 * `squares` is the sum of the squares of all gradients.
 *
 * @example
 * ```ts
 * import { clipFactor } from "homodistil/optimizer"
 * assert.ok(Math.abs(clipFactor(3 ** 2 + 4 ** 2, 1) - 1 / 5) < 1e-6)
 * assert.equal(clipFactor(0.25, 1), 1)
 * ```
 */
export const clipFactor = (squares: number, limit: number): number => Math.min(1, limit / (Math.sqrt(squares) + 1e-6))
