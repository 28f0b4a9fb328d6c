import * as tf from "@tensorflow/tfjs-core"
import type { DeviceTensor, MapTree, TensorSpec } from "./Tensor.ts"

/** Tells a leaf of a tree from an inner node. */
export type IsLeaf<Leaf> = (value: unknown) => value is Leaf

/** Whether a value is a tfjs tensor. */
export const isTensor: IsLeaf<tf.Tensor> = (value) => value instanceof tf.Tensor

/** Whether a value is a live tensor's handle. */
export const isDevice: IsLeaf<DeviceTensor> = (value): value is DeviceTensor => isSpec(value) && "id" in value

/** Whether a value is the spec of a tensor. */
export const isSpec: IsLeaf<TensorSpec> = (value): value is TensorSpec =>
  typeof value === "object" && value !== null && "dtype" in value && "shape" in value

const join = (path: string, key: string): string => (path === "" ? key : `${path}/${key}`)

const fields = (tree: unknown, path: string): ReadonlyArray<readonly [string, unknown]> => {
  if (typeof tree !== "object" || tree === null)
    throw new RangeError(`${path || "the tree"} is neither a leaf nor a record`)
  const sorted = Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const odd = sorted.find(([key]) => key === "" || key.includes("/"))
  // two leaves must never share a path
  if (odd !== undefined)
    throw new RangeError(`a tree's key may not be empty or hold a slash: "${odd[0]}" at ${path || "the root"}`)
  return sorted
}

/**
 * The leaves of a tree with their paths (keys joined by `/`), keys sorted at each level, so equal trees list alike whatever
 * order they were built in.
 *
 * @example
 * ```ts
 * import { Tree } from "homodistil/backend"
 * const isNumber = (x: unknown): x is number => typeof x === "number"
 * assert.deepEqual(Tree.entries({ b: 1, a: { d: 2, c: 3 } }, isNumber), [["a/c", 3], ["a/d", 2], ["b", 1]])
 * ```
 */
export const entries = <Leaf>(tree: unknown, isLeaf: IsLeaf<Leaf>, path = ""): ReadonlyArray<readonly [string, Leaf]> =>
  isLeaf(tree) ? [[path, tree]] : fields(tree, path).flatMap(([key, child]) => entries(child, isLeaf, join(path, key)))

/**
 * The tree of the same shape whose leaves are `f(leaf, path)`.
 *
 * @example
 * ```ts
 * import { Tree } from "homodistil/backend"
 * const isNumber = (x: unknown): x is number => typeof x === "number"
 * assert.deepEqual(Tree.map({ a: { b: 1 } }, isNumber, (x, path) => `${path}=${x}`), { a: { b: "a/b=1" } })
 * ```
 */
export function map<T, Leaf, To>(
  tree: T,
  isLeaf: IsLeaf<Leaf>,
  f: (leaf: Leaf, path: string) => To
): MapTree<T, Leaf, To>
export function map<Leaf>(tree: unknown, isLeaf: IsLeaf<Leaf>, f: (leaf: Leaf, path: string) => unknown): unknown {
  const walk = (node: unknown, path: string): unknown =>
    isLeaf(node)
      ? f(node, path)
      : Object.fromEntries(fields(node, path).map(([key, child]) => [key, walk(child, join(path, key))]))
  return walk(tree, "")
}

/** The tensor at a path; a defect when there is none. */
export const find = <A>(values: ReadonlyMap<string, A>, path: string): A => {
  const value = values.get(path)
  if (value === undefined) throw new RangeError(`no tensor at ${path}`)
  return value
}
