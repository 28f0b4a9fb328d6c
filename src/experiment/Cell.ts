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
  /** What is measured on the way, at so many steps besides the end. */
  readonly trajectory?: { readonly points: number; readonly measure: ReadonlyArray<Measure.Measure> }
  readonly teacher: Digest.Digest
  readonly dataset: Spec.Spec
  /** The backend and its threads: sums in another order round otherwise. */
  readonly backend: Spec.Spec
}

/** The version of the code's arithmetic: raised when the same specs give other numbers, so that old cells are run anew. */
export const numericVersion = 4

/** A cell's spec as JSON: what is hashed, stored with the cell, and compared. */
export const describe = (cell: CellSpec): JsonObject => ({
  numericVersion,
  plan: Spec.toJson(Plan.spec(cell.plan)),
  seed: cell.seed,
  scale: Spec.toJson(cell.scale.spec),
  measures: cell.measures.map(({ spec }) => Spec.toJson(spec)),
  ...(cell.trajectory === undefined
    ? {}
    : {
        trajectory: {
          points: cell.trajectory.points,
          measures: cell.trajectory.measure.map(({ spec }) => Spec.toJson(spec))
        }
      }),
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

const Shape = Schema.Struct({
  step: Schema.Int,
  /** By prunable axis. */
  widths: Schema.Record(Schema.String, Schema.Int),
  parameters: Schema.Int
})

/** The student's widths from a step on: one at the start, one a pruning event (paper, Fig. 2). */
export type Shape = typeof Shape.Type

const Checked = Schema.Struct({
  step: Schema.Int,
  parameters: Schema.Int,
  measures: Schema.Record(Schema.String, Schema.Finite)
})

/** What was measured of a student on the way (paper, Fig. 4). */
export type Checked = typeof Checked.Type

/** Where the numbers of a cell came from; nothing of it shapes them. */
export const Provenance = Schema.Struct({
  /**
   * The time of this cell's own work: where cells share a teacher, the work of the others does not count, and the teacher's counts in
   * equal parts. It includes what was done before an interruption.
   */
  seconds: Schema.Finite,
  /** The part of it that is training: without the curve and the measures. */
  trainSeconds: Schema.Finite,
  /** When the cell was finished, in ISO 8601. */
  finished: Schema.String,
  /** How often it was begun again from a checkpoint. */
  resumed: Schema.Int,
  node: Schema.String,
  platform: Schema.String,
  cpu: Schema.String,
  cores: Schema.Int,
  /** The version of this package, and of those that compute. */
  version: Schema.String,
  packages: Schema.Record(Schema.String, Schema.String),
  /** The commit the program was run from, and whether files differed from it; `null` outside a repository. */
  git: Schema.NullOr(Schema.Struct({ commit: Schema.String, dirty: Schema.Boolean }))
})

/** Where the numbers of a cell came from. */
export type Provenance = typeof Provenance.Type

/** What was measured in a cell; the same bytes for the same key. */
export const Measured = Schema.Struct({
  key: Schema.String,
  spec: Schema.Record(Schema.String, Schema.Json),
  /** Why there are no measures, when the run ended early. */
  diverged: Schema.optionalKey(Schema.String),
  measures: Schema.Record(Schema.String, Schema.Finite),
  curve: Schema.Array(Point),
  path: Schema.Array(Shape),
  trajectory: Schema.Array(Checked)
})

/** What was measured in a cell. */
export type Measured = typeof Measured.Type

/** What was measured in a cell, and where it came from. */
export const CellResult = Measured.pipe(Schema.fieldsAssign({ provenance: Provenance }))

/** A finished cell. */
export type CellResult = typeof CellResult.Type
