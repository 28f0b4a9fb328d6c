import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Backend, CompileError, ExecutionError } from "../backend/index.ts"
import { type Dataset, heldOutBatches } from "../data/index.ts"
import { HeldOut } from "../evaluate/index.ts"
import type { Model } from "../model/index.ts"
import type { Digest, Spec } from "../spec/index.ts"
import type * as Scale from "./Scale.ts"

/** What the cells of an experiment are run on, as far as it shapes their numbers. */
export interface Materials {
  readonly teacher: Model.Model
  readonly teacherDigest: Digest.Digest
  readonly dataset: Dataset
  /** The backend and its threads, as they are hashed. */
  readonly backend: Spec.Spec
}

/** What running cells share: the materials, and the teacher's answers on held-out batches. */
export interface Laboratory extends Materials {
  /** The fixed validation batch of the discrepancy curve (paper, Fig. 3). */
  readonly curve: HeldOut.Reference
  /** The test batches of the final measures. */
  readonly test: HeldOut.Reference
}

/** What a laboratory is made from. */
export interface LaboratoryOptions {
  readonly teacher: Model.Model
  readonly teacherDigest: Digest.Digest
  readonly dataset: Dataset
  readonly backend: Spec.Spec
  readonly scale: Scale.Scale
}

/** Sets up what cells share; the teacher's logits live as long as the scope. */
export const make = (
  o: LaboratoryOptions
): Effect.Effect<Laboratory, CompileError | ExecutionError, Backend | Scope.Scope> =>
  Effect.gen(function* () {
    const { teacher, teacherDigest, dataset, backend, scale } = o
    const validation = heldOutBatches(dataset, { split: "validation", count: scale.curveRows, rows: scale.curveRows })
    const test = heldOutBatches(dataset, { split: "test", count: scale.testRows, rows: scale.testBatch })
    return {
      teacher,
      teacherDigest,
      dataset,
      backend,
      curve: yield* HeldOut.reference(teacher, validation.batches),
      test: yield* HeldOut.reference(teacher, test.batches)
    }
  })
