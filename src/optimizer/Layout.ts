import { type HostTensor, Tensor, type TensorSpec } from "../backend/index.ts"

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

/** Where a parameter lies in its group's vector. */
export interface Place {
  readonly name: string
  readonly from: number
  readonly shape: ReadonlyArray<number>
}

/** Parameters begin at multiples of this many numbers: at the beginning of a cache line. */
const line = 16

/** Where each parameter of a group lies in its vector, and how long the vector is. */
export const places = (
  group: Group,
  params: ByName<TensorSpec>
): { readonly places: ReadonlyArray<Place>; readonly length: number } => {
  let length = 0
  const found = group.names.map((name): Place => {
    const { shape } = at(params, name)
    const from = Math.ceil(length / line) * line
    length = from + Tensor.elements(shape)
    return { name, from, shape }
  })
  return { places: found, length }
}

/** The vector of a group, from the values of its parameters; what lies between them is 0. */
export const pack = (group: Group, values: ByName<HostTensor>): Float32Array => {
  const { places: all, length } = places(group, values)
  const vector = new Float32Array(length)
  for (const { name, from } of all) vector.set(at(values, name).data, from)
  return vector
}

/** The values of a group's parameters, by name, as parts of its vector. */
export const unpack = (group: Group, { data }: HostTensor, params: ByName<TensorSpec>): ByName<HostTensor> =>
  Object.fromEntries(
    places(group, params).places.map(({ name, from, shape }): [string, HostTensor] => [
      name,
      Tensor.of(data.subarray(from, from + Tensor.elements(shape)), shape)
    ])
  )
