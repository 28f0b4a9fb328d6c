import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Backend, CompileError, ExecutionError } from "../backend/index.ts"
import { heldOutBatches } from "../data/index.ts"
import { HeldOut, Similarity } from "../evaluate/index.ts"
import { CellRun, type Distillation, Laboratory, Scale } from "../experiment/index.ts"
import type { Model } from "../model/index.ts"
import type * as DistillReport from "./DistillReport.ts"

/** What a student is held against its teacher by, on held-out text. */
export interface Yardstick {
  /** How far a student is from its teacher on the way, and what that is called. */
  readonly discrepancy: Distillation.Discrepancy
  readonly distance: string
  /** All that is measured of a model in the end. */
  readonly measure: (
    model: Model.Model
  ) => Effect.Effect<DistillReport.Measured, CompileError | ExecutionError, Backend>
}

type Made = Effect.Effect<Yardstick, CompileError | ExecutionError, Backend | Scope.Scope>

/** Predictions of masked pieces: their loss, accuracy, and discrepancy to the teacher's. */
export const predictions = (materials: Laboratory.Materials): Made =>
  Effect.map(Laboratory.make({ ...materials, scale: Scale.micro }), (laboratory) => ({
    discrepancy: CellRun.discrepancy(laboratory),
    distance: "discrepancy",
    measure: (model) => HeldOut.measure(model, laboratory.test)
  }))

/** Last hidden states of whole text, for what has no head: how alike they are to the teacher's. */
export const states = ({ teacher, dataset }: Pick<Laboratory.Materials, "teacher" | "dataset">): Made =>
  Effect.gen(function* () {
    const { curveRows, testRows, testBatch } = Scale.micro
    const of = (split: "validation" | "test", count: number, rows: number) =>
      Similarity.reference(teacher, heldOutBatches(dataset, { split, count, rows, maskRate: 0 }).batches)
    const curve = yield* of("validation", curveRows, curveRows)
    const test = yield* of("test", testRows, testBatch)
    return {
      discrepancy: (model) => Effect.map(Similarity.measure(model, curve), ({ states }) => Math.max(0, 1 - states)),
      distance: "1 - CKA",
      measure: (model) => Similarity.measure(model, test)
    }
  })
