import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Method, StudentInit } from "homodistil/distill"
import { type Experiment, ExperimentRows, Scale } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"
import { RemainingRatio } from "homodistil/pruning"
import { experiment } from "./toy.ts"

const rowsOf = (options: Partial<Experiment.ExperimentOptions>, scale = Scale.micro) =>
  Effect.runSync(ExperimentRows.of({ ...experiment, ...options }, scale))

const problemsOf = (options: Partial<Experiment.ExperimentOptions>): string =>
  Effect.runSync(Effect.flip(ExperimentRows.of({ ...experiment, ...options }, Scale.micro))).message

describe("the rows of an experiment", () => {
  it("replace a component of the method and leave the others", () => {
    const rows = rowsOf({})
    assert.deepStrictEqual(
      rows.map(({ name, label }) => [name, label]),
      [
        ["magnitude", "magnitude"],
        ["platon", "PLATON"]
      ]
    )
    const [first, second] = rows
    assert.notDeepEqual(first?.plan.scorer.spec, second?.plan.scorer.spec)
    assert.deepStrictEqual(first?.plan.loss.spec, second?.plan.loss.spec)
  })

  it("are every combination of what is varied", () => {
    const vary = {
      scorer: experiment.vary?.scorer ?? [],
      student: [StudentInit.fromTeacher, StudentInit.random].map(StudentInit.layer)
    }
    const names = rowsOf({ vary, baseline: "random · magnitude" }).map(({ name }) => name)
    assert.deepStrictEqual(names, [
      "fromTeacher · magnitude",
      "fromTeacher · platon",
      "random · magnitude",
      "random · platon"
    ])
  })

  it("show their options where names alone would be the same", () => {
    const vary = { scorer: [5, 10].map((window) => Scorer.layer(Scorer.sensitivity({ window }))) }
    assert.deepStrictEqual(
      rowsOf({ vary, baseline: "sensitivity(window: 5)" }).map(({ name }) => name),
      ["sensitivity(window: 5)", "sensitivity(window: 10)"]
    )
  })

  it("train as the scale says, also where the training is the method's own", () => {
    const method = Method.homoDistil({ training: { steps: 1000, rows: 8 } })
    const [row] = rowsOf({ method }, Scale.smoke)
    assert.deepStrictEqual([row?.plan.training.steps, row?.plan.training.rows], [40, 8])
  })

  it("stand behind those for reference, which are never varied, left out or compared", () => {
    const reference = { teacher: Method.teacher(), noTeacher: Method.noTeacher() }
    const grouped = {
      "a half": { magnitude: Method.homoDistil({ ratio: 0.5 }), other: Method.oneShot({ ratio: 0.5 }) }
    }
    const { vary: _, ...rest } = experiment
    const shown = [
      rowsOf({ reference }),
      rowsOf({ reference, only: ["PLATON"] }),
      Effect.runSync(ExperimentRows.of({ ...rest, method: grouped, reference, only: [] }, Scale.micro))
    ].map((rows) => rows.map(({ name, reference: apart, baseline }) => `${name}${apart ? "°" : baseline ? "*" : ""}`))
    assert.deepStrictEqual(shown, [
      ["teacher°", "noTeacher°", "magnitude*", "platon"],
      ["teacher°", "noTeacher°", "magnitude*", "platon"],
      ["teacher°", "noTeacher°", "a half · magnitude*"]
    ])
  })

  it("must differ, and the baseline be one of them", () => {
    const vary = { ratio: [0.5, 0.5].map((final) => RemainingRatio.layer(RemainingRatio.cubic({ final }))) }
    const message = problemsOf({ vary })
    assert.match(message, /toy\.vary = cubic\(final: 0\.5.*: must be different rows/)
    assert.match(message, /toy\.baseline = magnitude: must be one of cubic/)
  })
})
