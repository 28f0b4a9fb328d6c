import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { Axis, BertConfig, type Model, Parameters } from "../model/index.ts"
import type { Ranking } from "../pruning/index.ts"
import { Seed, Spec } from "../spec/index.ts"

/** What a student is made from. */
export interface StudentInput {
  readonly teacher: Model.Model
  readonly ranking: Ranking.Ranking
  /** The remaining ratio at the end of the run. */
  readonly finalRatio: number
  readonly seed: Seed.Seed
}

/** Where a student starts. */
export interface StudentInit {
  readonly spec: Spec.Spec
  /** Whether the student starts at its final size, so that nothing is pruned while it trains. */
  readonly final: boolean
  readonly make: (input: StudentInput) => Model.Model
}

/** The student's start of a run. */
export class StudentInitService extends Context.Service<StudentInitService, StudentInit>()("homodistil/StudentInit") {}

/** Provides a student's start. */
export const layer = (init: StudentInit): Layer.Layer<StudentInitService> =>
  Layer.succeed(StudentInitService, StudentInitService.of(init))

/** A copy of the teacher: the homotopy's start (paper, §1). */
export const fromTeacher: StudentInit = { spec: Spec.make("fromTeacher"), final: false, make: ({ teacher }) => teacher }

/** Random weights at the final size, with sinusoidal positions: the baseline of the paper's Fig. 3. */
export const random: StudentInit = {
  spec: Spec.make("random", { options: { positions: "sinusoidal" } }),
  final: true,
  make: ({ teacher, ranking, finalRatio, seed }) => {
    const original = BertConfig.axes(teacher.config)
    const axes = Axis.resize(original, ranking.widths({ original, current: original, ratio: finalRatio }))
    const small = BertConfig.fromAxes(teacher.config, axes)
    const config = { ...small, scale: 1 / Math.sqrt((small.qk[0] ?? small.heads) / small.heads) }
    const parameters = Parameters.initialise(Parameters.bert(config), axes, Seed.child(seed, "student"), "sinusoidal")
    return { config, parameters }
  }
}
