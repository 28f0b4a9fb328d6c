import * as Arr from "effect/Array"
import { canonical, Spec } from "../spec/index.ts"
import type * as Cell from "./Cell.ts"

/** Students that learn from one teacher at the same time, at most: each keeps its weights, moments and slots in memory. */
export const largest = 8

/** What cells must have in common for the batches of one to be those of the other, and the teacher's outputs on them. */
const taughtBy = ({ plan, seed, teacher, dataset, backend }: Cell.CellSpec): string => {
  const { rows, length, maskRate } = plan.training
  return canonical({
    seed,
    rows,
    length,
    maskRate,
    teacher,
    dataset: Spec.toJson(dataset),
    backend: Spec.toJson(backend)
  })
}

/** A list in so many parts of about the same size. */
const parts = <A>(list: ReadonlyArray<A>, count: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: count }, (_, i) =>
    list.slice(Math.round((i * list.length) / count), Math.round(((i + 1) * list.length) / count))
  )

/** Groups of which the largest are halved until there are `count` of them, or none can be halved. */
const halved = <A>(groups: ReadonlyArray<ReadonlyArray<A>>, count: number): ReadonlyArray<ReadonlyArray<A>> => {
  const most = Math.max(0, ...groups.map((group) => group.length))
  const at = groups.findIndex((group) => group.length === most)
  if (groups.length >= count || most < 2) return groups
  return halved([...groups.slice(0, at), ...parts(groups[at] ?? [], 2), ...groups.slice(at + 1)], count)
}

/**
 * Cells in groups that share a teacher: those of one seed on batches of one shape, eight at most.
 *
 * Groups come in descending size, and are run `jobs` at a time; where the last ones would leave some of these idle, they are split.
 */
export const of = <C extends { readonly spec: Cell.CellSpec }>(
  cells: ReadonlyArray<C>,
  jobs: number
): ReadonlyArray<Arr.NonEmptyReadonlyArray<C>> => {
  const groups = [...Map.groupBy(cells, ({ spec }) => taughtBy(spec)).values()]
    .flatMap((group) => parts(group, Math.ceil(group.length / largest)))
    .toSorted((a, b) => b.length - a.length)
  const rest = groups.length % jobs
  const full = groups.length - rest
  const even = rest === 0 ? groups : [...groups.slice(0, full), ...halved(groups.slice(full), jobs)]
  return even.filter(Arr.isReadonlyArrayNonEmpty)
}
