import { ops, tf } from "../backend/index.ts"

/** The names of the activations besides the exact GELU, which needs no name; they are those of Hugging Face's configurations. */
export const activations = ["gelu_new", "quick_gelu", "relu", "silu", "tanh"] as const

/** What stands between the two products of a feed-forward block; `gelu_new` is the tanh approximation of GELU. */
export type Activation = (typeof activations)[number]

const functions: { readonly [name in Activation]: (x: tf.Tensor) => tf.Tensor } = {
  gelu_new: ops.geluTanh,
  quick_gelu: (x) => ops.swish(x, 1.702),
  relu: (x) => tf.relu(x),
  silu: (x) => ops.swish(x, 1),
  tanh: (x) => tf.tanh(x)
}

/**
 * Applies an activation, element by element; the exact GELU where none is named.
 *
 * @example
 * ```ts
 * import { evaluate, Tensor } from "homodistil/backend"
 * import { Activation } from "homodistil/model"
 * const y = await evaluate((x) => Activation.apply(x, "relu"), Tensor.host([-1, 2]))
 * assert.deepEqual([...y.data], [0, 2])
 * ```
 */
export const apply = (x: tf.Tensor, name?: Activation): tf.Tensor =>
  name === undefined ? ops.gelu(x) : functions[name](x)
