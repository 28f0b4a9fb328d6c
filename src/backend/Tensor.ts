import type { Tensor } from "@tensorflow/tfjs-core"

/** The element types a compiled function takes and returns. */
export type DType = "float32" | "int32"

/** What is known of a tensor before it has values: its shape and element type. */
export interface TensorSpec {
  readonly shape: ReadonlyArray<number>
  readonly dtype: DType
}

/** Numbers on the host. */
export type HostArray = Float32Array | Int32Array

/** A tensor's values on the host, with its shape. */
export interface HostTensor extends TensorSpec {
  readonly data: HostArray
}

/** A tensor whose values a backend owns; it is live until it is released. */
export interface DeviceTensor extends TensorSpec {
  readonly id: number
}

/** A leaf, or a record of trees: the shape of what compiled functions take and return. */
export type Tree<Leaf> = Leaf | { readonly [key: string]: Tree<Leaf> }

/** The tree `T` with each leaf of type `From` replaced by `To`. */
export type MapTree<T, From, To> = T extends From ? To : { readonly [K in keyof T]: MapTree<T[K], From, To> }

/** What a traced function receives for a signature: a tfjs tensor for each spec. */
export type TensorsOf<S> = MapTree<S, TensorSpec, Tensor>

/** What a compiled function receives for a signature: a live tensor for each spec. */
export type InputsOf<S> = MapTree<S, TensorSpec, DeviceTensor>

/** What a compiled function returns: a live tensor for each tensor of its text's result. */
export type OutputsOf<O> = MapTree<O, Tensor, DeviceTensor>

/** The spec of a float32 tensor. */
export const float = (...shape: ReadonlyArray<number>): TensorSpec => ({ shape, dtype: "float32" })

/** The spec of an int32 tensor. */
export const int = (...shape: ReadonlyArray<number>): TensorSpec => ({ shape, dtype: "int32" })

/** The number of elements of a shape. */
export const elements = (shape: ReadonlyArray<number>): number => shape.reduce((n, size) => n * size, 1)

/**
 * A host tensor from plain numbers.
 *
 * @example
 * ```ts
 * import { Tensor } from "homodistil/backend"
 * const t = Tensor.host([1, 2, 3, 4], [2, 2])
 * assert.deepEqual([t.dtype, t.data[3]], ["float32", 4])
 * ```
 */
export const host = (
  values: ArrayLike<number>,
  shape: ReadonlyArray<number> = [values.length],
  dtype: DType = "float32"
): HostTensor => ({
  shape,
  dtype,
  data: dtype === "int32" ? Int32Array.from(values) : Float32Array.from(values)
})

/**
 * Numbers as a host tensor, without a copy.
 *
 * @example
 * ```ts
 * import { Tensor } from "homodistil/backend"
 * const data = Int32Array.of(7, 8)
 * assert.deepEqual(Tensor.of(data), { shape: [2], dtype: "int32", data })
 * ```
 */
export const of = (data: HostArray, shape: ReadonlyArray<number> = [data.length]): HostTensor => ({
  shape,
  dtype: data instanceof Int32Array ? "int32" : "float32",
  data
})

/** A single number as a host tensor of rank 0. */
export const scalar = (value: number): HostTensor => host([value], [])
