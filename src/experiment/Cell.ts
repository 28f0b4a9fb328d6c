import * as Schema from "effect/Schema"
import type { DistillPlan } from "../distill/index.ts"
import { DistillPlan as Plan } from "../distill/index.ts"
import type { Measure } from "../evaluate/index.ts"
import { Digest, type JsonObject, Spec } from "../spec/index.ts"
import type * as Scale from "./Scale.ts"

/** Everything that shapes a cell's numbers; its digest is the cell's key. */
export interface CellSpec {
  readonly plan: DistillPlan.DistillPlan
  readonly seed: number
  readonly scale: Scale.Scale
  readonly measures: ReadonlyArray<Measure.Measure>
  readonly teacher: Digest.Digest
  readonly dataset: Spec.Spec
  /** The backend and its threads: sums in another order round otherwise. */
  readonly backend: Spec.Spec
}

/** The version of the code's arithmetic: raised when the same specs give other numbers, so that old cells are run anew. */
export const numericVersion = 2

/** A cell's spec as JSON: what is hashed, stored with the cell, and compared. */
export const describe = (cell: CellSpec): JsonObject => ({
  numericVersion,
  plan: Spec.toJson(Plan.spec(cell.plan)),
  seed: cell.seed,
  scale: Spec.toJson(cell.scale.spec),
  measures: cell.measures.map(({ spec }) => Spec.toJson(spec)),
  teacher: cell.teacher,
  dataset: Spec.toJson(cell.dataset),
  backend: Spec.toJson(cell.backend)
})

/** The key of a cell: the digest of the specs that were really provided, so a table cannot lie about its configuration. */
export const key = (cell: CellSpec): Digest.Digest => Digest.of(describe(cell))

const Point = Schema.Struct({
  step: Schema.Int,
  discrepancy: Schema.Finite,
  /** Parameters of the student at that step. */
  parameters: Schema.Int
})

/** A point of the discrepancy curve. */
export type Point = typeof Point.Type

/** What was measured in a cell, and where it came from: as it is kept in a store. */
export const CellResult = Schema.Struct({
  key: Schema.String,
  spec: Schema.Record(Schema.String, Schema.Json),
  /** Why there are no measures, when the run ended early. */
  diverged: Schema.optionalKey(Schema.String),
  measures: Schema.Record(Schema.String, Schema.Finite),
  curve: Schema.Array(Point),
  /** The widths of the student at the end, by axis. */
  widths: Schema.Record(Schema.String, Schema.Int),
  provenance: Schema.Struct({
    /**
     * The time of this cell's own work: where cells share a teacher, the work of the others does not count, and the teacher's counts in
     * equal parts.
     */
    seconds: Schema.Finite,
    /** The part of it that is training: without the curve and the measures. */
    trainSeconds: Schema.Finite,
    node: Schema.String,
    platform: Schema.String,
    version: Schema.String
  })
})

/** A finished cell. */
export type CellResult = typeof CellResult.Type
