import { type HostTensor, Tensor, type TensorSpec, tf } from "../backend/index.ts"

/** Tensors, or anything else, by name. */
export type ByName<T> = { readonly [name: string]: T }

/**
 * Parameters that are updated together: laid end to end in one long vector, or one by itself in its own shape.
 *
 * A rule that treats every weight alone works on the long vector as well as on the pieces, with a fraction of the nodes and buffers.
 */
export interface Group {
  readonly id: string
  readonly names: ReadonlyArray<string>
  readonly flat: boolean
  /** Whether weight decay applies: to matrices only. */
  readonly decays: boolean
  /** Whether an observer watches these parameters. */
  readonly watched: boolean
}

/** What decides a layout. */
export interface LayoutOptions {
  readonly params: ByName<TensorSpec>
  readonly watches: (name: string) => boolean
  /** Whether parameters may be laid end to end: watched ones, and the others. */
  readonly elementwise: { readonly watched: boolean; readonly unwatched: boolean }
}

/** The groups of a step's parameters, in the order of their ids. */
export const groups = ({ params, watches, elementwise }: LayoutOptions): ReadonlyArray<Group> => {
  const made = new Map<string, Group>()
  for (const name of Object.keys(params).sort()) {
    const decays = (params[name]?.shape.length ?? 0) > 1
    const watched = watches(name)
    const flat = watched ? elementwise.watched : elementwise.unwatched
    const id = flat ? `${decays ? "matrices" : "vectors"}${watched ? " watched" : ""}` : name
    made.set(id, { id, names: [...(made.get(id)?.names ?? []), name], flat, decays, watched })
  }
  return [...made.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** The value of a name; a defect when there is none. */
export const at = <A>(values: ByName<A>, name: string): A => {
  const value = values[name]
  if (value === undefined) throw new RangeError(`there is no ${name}`)
  return value
}

/** The spec of a group's tensor. */
export const specOf = (group: Group, params: ByName<TensorSpec>): TensorSpec =>
  group.flat
    ? Tensor.float(group.names.reduce((n, name) => n + Tensor.elements(at(params, name).shape), 0))
    : at(params, group.names[0] ?? "")

/** The tensor of a group, from those of its parameters. */
export const pack = (group: Group, tensors: ByName<tf.Tensor>): tf.Tensor => {
  const parts = group.names.map((name) => at(tensors, name))
  const [only] = parts
  if (!group.flat && only !== undefined) return only
  const vectors = parts.map((part) => tf.reshape(part, [-1]))
  return vectors.length === 1 && vectors[0] !== undefined ? vectors[0] : tf.concat(vectors)
}

/** The tensors of a group's parameters, by name. */
export const unpack = (group: Group, tensor: tf.Tensor, params: ByName<TensorSpec>): ByName<tf.Tensor> => {
  const [first = ""] = group.names
  if (!group.flat) return { [first]: tensor }
  const shapes = group.names.map((name) => [...at(params, name).shape])
  const sizes = shapes.map(Tensor.elements)
  const parts = sizes.length === 1 ? [tensor] : tf.split(tensor, sizes)
  return Object.fromEntries(
    parts.map((part, i): [string, tf.Tensor] => [group.names[i] ?? "", tf.reshape(part, shapes[i] ?? [])])
  )
}

/** As `pack`, on the host. */
export const packHost = (group: Group, tensors: ByName<HostTensor>): HostTensor => {
  const parts = group.names.map((name) => at(tensors, name))
  const [only] = parts
  if (!group.flat && only !== undefined) return only
  const data = new Float32Array(parts.reduce((n, part) => n + part.data.length, 0))
  let from = 0
  for (const part of parts) {
    data.set(part.data, from)
    from += part.data.length
  }
  return { shape: [data.length], dtype: "float32", data }
}

/** As `unpack`, on the host. */
export const unpackHost = (group: Group, { data }: HostTensor, params: ByName<TensorSpec>): ByName<HostTensor> => {
  let from = 0
  return Object.fromEntries(
    group.names.map((name): [string, HostTensor] => {
      const { shape } = at(params, name)
      const to = from + Tensor.elements(shape)
      const part = data.slice(from, to)
      from = to
      return [name, { shape, dtype: "float32", data: part }]
    })
  )
}
