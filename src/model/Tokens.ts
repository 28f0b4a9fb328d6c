import { type HostTensor, Tensor, type TensorSpec, type tf } from "../backend/index.ts"
import type { TokenTensors } from "./Bert.ts"

/** Token sequences on the host: `ids` [rows · length], and what else a forward pass may need of them. */
export interface Tokens {
  readonly rows: number
  readonly length: number
  readonly ids: Int32Array
  /** [rows · length], 1 for a token and 0 for padding; absent when nothing is padded. */
  readonly attention?: Float32Array | undefined
  /** [rows · length] segment numbers; absent when all are 0. */
  readonly types?: Int32Array | undefined
}

/** Token sequences in the form compiled texts take. */
export type TokenTree<T> = {
  readonly ids: T
  readonly attention: { readonly [key: string]: T }
  readonly types: { readonly [key: string]: T }
}

/** The sequences as host tensors. */
export const inputs = (tokens: Tokens): TokenTree<HostTensor> => ({
  ids: Tensor.of(tokens.ids),
  attention: tokens.attention === undefined ? {} : { mask: Tensor.of(tokens.attention, [tokens.rows, tokens.length]) },
  types: tokens.types === undefined ? {} : { ids: Tensor.of(tokens.types) }
})

/** The signature of `inputs`. */
export const signature = (tokens: Tokens): TokenTree<TensorSpec> => ({
  ids: Tensor.int(tokens.ids.length),
  attention: tokens.attention === undefined ? {} : { mask: Tensor.float(tokens.rows, tokens.length) },
  types: tokens.types === undefined ? {} : { ids: Tensor.int(tokens.ids.length) }
})

/** The traced sequences as the forward pass takes them. */
export const tensors = (tokens: Pick<Tokens, "rows" | "length">, x: TokenTree<tf.Tensor>): TokenTensors => {
  const attention = x.attention["mask"]
  const types = x.types["ids"]
  return {
    rows: tokens.rows,
    length: tokens.length,
    ids: x.ids,
    ...(attention === undefined ? {} : { attention }),
    ...(types === undefined ? {} : { types })
  }
}

/** What two batches must share to be run by one compiled text. */
export const shapeKey = (tokens: Tokens): string =>
  [
    tokens.rows,
    tokens.length,
    tokens.attention === undefined ? "full" : "padded",
    tokens.types === undefined ? "one" : "pairs"
  ].join("/")
