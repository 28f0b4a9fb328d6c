import type { HostTensor } from "../../backend/index.ts"
import type { Graph } from "./Graph.ts"

/** A parameter of a model, by Hugging Face's name; a defect when there is none. */
export type Find = (name: string) => HostTensor

/** How a graph keeps its matrices and multiplies by them; values are named, `x` is [batch, length, units]. */
export interface Matrices {
  /** Rows of a table by int64 ids, [batch, length] → [batch, length, width]. */
  readonly rows: (table: string, ids: string) => string
  /** x Wᵀ + b, where `weight` is [units, width of x]. */
  readonly dense: (weight: string, bias: string, x: string) => string
}

/** Makes the matrices of a graph. */
export type Make = (graph: Graph, find: Find, shared: ReadonlySet<string>) => Matrices
