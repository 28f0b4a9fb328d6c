import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { DistillPlan, Method } from "homodistil/distill"
import { Measure } from "homodistil/evaluate"
import { Architecture, CellCost, Experiment, ProcessMemory, Runner, RunPlan, Scale } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"
import { BertConfig } from "homodistil/model"
import { assert, describe, it } from "vitest"
import { experiment, machine, materials, run, scale } from "./toy.ts"

const toy = (more: Partial<RunPlan.RunPlanOptions> = {}): RunPlan.RunPlan =>
  Effect.runSync(
    RunPlan.make({
      experiments: [{ experiment, seeds: [0, 1] }],
      scale,
      teacher: materials.teacher.config,
      jobs: 1,
      rate: 1e9,
      ...more
    })
  )

const other = Experiment.make({ ...experiment, name: "other", title: "The same cells and another" })

describe("RunPlan", () => {
  it("counts the students of all cells, and the teacher once for each seed", () => {
    const cost = (scorer: Scorer.ImportanceScorer) => {
      const method = Method.homoDistil({ training: { ...scale.training } })
      const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(method)))
      return CellCost.of({ ...plan, scorer }, materials.teacher.config, { scale, measures: experiment.measure })
    }
    const [magnitude, platon] = [cost(Scorer.magnitude()), cost(Scorer.platon({ window: 2 }))]
    const { cells, operations, planned } = toy()
    assert.strictEqual(cells, 4)
    assert.strictEqual(operations.student, 2 * (magnitude.student + platon.student))
    assert.strictEqual(operations.teacher, 2 * magnitude.teacher)
    assert.strictEqual(operations.measures, 2 * (magnitude.measures + platon.measures))
    assert.deepEqual(
      planned[0]?.rows.map(({ row, cells, cost }) => [row.name, cells, cost]),
      [
        ["magnitude", 2, magnitude],
        ["platon", 2, platon]
      ]
    )
  })

  it("counts cells that experiments share once, as the runner does", () => {
    const both = [
      { experiment, seeds: [0, 1] },
      { experiment: other, seeds: [1, 2] }
    ]
    const measured = { ...other, measure: [Measure.heldOut()] }
    for (const experiments of [both, [...both, { experiment: measured, seeds: [0] }]]) {
      const { cells } = Effect.runSync(Runner.planAll({ experiments, scale, materials }))
      assert.strictEqual(toy({ experiments }).cells, cells.length)
    }
    assert.deepEqual(
      toy({ experiments: both }).operations,
      toy({ experiments: [{ experiment, seeds: [0, 1, 2] }] }).operations
    )
  })

  it("takes a time that falls with the rate and is shared among processes", () =>
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e15, noNaN: true }), fc.integer({ min: 1, max: 8 }), (rate, jobs) => {
        const { seconds, work, operations } = toy({ rate, jobs })
        const whole = work / rate
        assert.isAbove(work, operations.student + operations.teacher + operations.measures)
        assert.isAtLeast(seconds, (whole / jobs) * (1 - 1e-12))
        assert.isAtMost(seconds, whole * (1 + 1e-12))
        assert.closeTo(toy({ rate: 2 * rate, jobs }).seconds * 2, seconds, seconds * 1e-12)
      }),
      { numRuns: 20 }
    ))

  it("plans the paper's scale from the shape of its teacher alone; running it is refused", async () => {
    const plan = toy({ scale: Scale.paper, teacher: Architecture.bertBase, rate: 1e11 })
    const text = RunPlan.text(plan)
    assert.match(text, /teacher 12×768\/3072 \(110M\), 28000 steps of 4096 × 128 pieces/)
    assert.match(text, /12×768\/3072 → 12×192\/768 +110M → 11\.4M +\d+ +6e-4 /)
    assert.match(text, /\d years in 1 process,/)
    const error = await run(
      Runner.run({
        experiments: [{ experiment, seeds: [0] }],
        scale: Scale.paper,
        jobs: 1,
        materials,
        machine,
        emit: () => Effect.void
      }).pipe(Effect.flip)
    )
    assert.strictEqual(error._tag, "ConfigError")
    assert.match(error.message, /4096 × 128 pieces are more than 65536.*--plan/)
  })

  it("has a line for each row, and says when nothing is run", () => {
    const lines = RunPlan.text(toy()).split("\n")
    for (const label of ["magnitude", "PLATON"])
      assert.strictEqual(lines.filter((line) => line.startsWith(`  ${label} `)).length, 1)
    assert.include(RunPlan.text(toy()), "In all 4 different cells")
    assert.strictEqual(RunPlan.text(toy({ experiments: [] })), "Nothing is run at toy scale.\n")
  })

  it("needs more memory where more students share a teacher", () => {
    const vary = (scorers: ReadonlyArray<Scorer.ImportanceScorer>) =>
      toy({ experiments: [{ experiment: { ...experiment, vary: { scorer: scorers.map(Scorer.layer) } }, seeds: [0] }] })
    const one = vary([Scorer.magnitude()])
    const two = vary([Scorer.magnitude(), Scorer.platon({ window: 2 })])
    assert.strictEqual(
      bytes(one),
      ProcessMemory.bytes(ProcessMemory.of([one.planned[0]?.rows[0]?.cost ?? fail()], materials.teacher.config, scale))
    )
    assert.isAbove(bytes(two), bytes(one))
    assert.isBelow(bytes(one), bytes(toy({ teacher: BertConfig.micro })))
  })

  it("counts nothing of kept cells: what is left costs what it costs by itself", () => {
    const experiments = [{ experiment, seeds: [0, 1] }]
    const { cells } = Effect.runSync(Runner.planAll({ experiments, scale, materials }))
    fc.assert(
      fc.property(fc.subarray([...cells]), fc.integer({ min: 1, max: 3 }), (kept, jobs) => {
        const keys = new Set(kept.map(({ key }) => key))
        const plan = toy({ experiments, jobs, kept: { keys, materials } })
        assert.strictEqual(plan.cells, 4)
        assert.strictEqual(plan.done, kept.length)
        const costOf = CellCost.under(materials.teacher.config)
        const left = cells.filter(({ key }) => !keys.has(key)).map(({ spec }) => costOf(spec))
        assert.strictEqual(
          plan.operations.student,
          left.reduce((sum, { student }) => sum + student, 0)
        )
        assert.strictEqual(plan.work > 0, left.length > 0)
        const said = kept.length === 0 ? "none of them kept" : `${kept.length} of 4 kept and not counted below`
        assert.include(RunPlan.text(plan), said)
        assert.strictEqual(RunPlan.text(plan).includes("Nothing is left to run"), left.length === 0)
      }),
      { numRuns: 20 }
    )
  })

  it("says nothing of kept cells where their keys are not known", () => assert.notInclude(RunPlan.text(toy()), "kept"))

  it("counts in all the process that starts others", () => {
    const of = (jobs: number) => RunPlan.text(toy({ jobs }))
    assert.notInclude(of(1), "in all, with the process")
    assert.match(of(2), /GiB in all, with the process that starts them/)
  })
})

const bytes = ({ memory }: RunPlan.RunPlan): number => ProcessMemory.bytes(memory)

const fail = (): never => {
  throw new Error("the plan has a row")
}
