import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { type CellWork, Runner } from "homodistil/experiment"
import { assert, describe, it } from "vitest"
import * as TimeLeft from "../../src/cli/TimeLeft.ts"
import { machine, runner } from "../experiment/toy.ts"

const [toy] = await Effect.runPromise(Runner.plan(runner().options))
if (toy === undefined) throw new Error("the toy experiment has cells")
const cellOf = (key: string): Runner.PlannedCell => ({ ...toy, key })

/** Steps that cost four times as much in the first quarter, and measures at the end. */
const work: CellWork.CellWork = {
  stretches: [
    { from: 0, to: 100, each: 4 },
    { from: 100, to: 400, each: 1 }
  ],
  end: 300,
  total: 1000
}

const finished = (key: string, diverged?: string): Runner.RunnerEvent => ({
  _tag: "CellFinished",
  cell: cellOf(key),
  result: {
    key,
    spec: {},
    measures: {},
    curve: [],
    path: [],
    trajectory: [],
    provenance: { ...machine, seconds: 1, trainSeconds: 1, finished: "1970-01-01T00:00:00.000Z", resumed: 0 },
    ...(diverged === undefined ? {} : { diverged })
  }
})
const started = (key: string, from?: number): Runner.RunnerEvent => ({
  _tag: "CellStarted",
  cell: cellOf(key),
  ...(from === undefined ? {} : { from })
})
const stepped = (key: string, step: number): Runner.RunnerEvent => ({
  _tag: "CellProgress",
  cell: cellOf(key),
  event: { _tag: "Distilled", event: { _tag: "Stepped", step, learningRate: 1, total: 1, terms: {} } }
})

const plannedOf = (groups: ReadonlyArray<ReadonlyArray<string>>, jobs: number): Runner.RunnerEvent => ({
  _tag: "Planned",
  cells: groups.flat().length,
  kept: 0,
  atOnce: 1,
  groups: groups.map((group) => group.map((key) => ({ key, work }))),
  jobs
})

/** The state after events that happen at these seconds. */
const after = (...events: ReadonlyArray<readonly [at: number, event: Runner.RunnerEvent]>): TimeLeft.TimeLeft =>
  events.reduce((state, [at, event]) => TimeLeft.follow(state, event, 1000 * at), TimeLeft.start)

/** Seconds of the work that a process does in a second. */
const speed = 10

/**
 * Plays groups of cells, `jobs` at a time, each in lock-step and each process at the same constant speed, and gives the true time left beside
 * what is told, at each moment of each step.
 */
const play = (sizes: ReadonlyArray<number>, jobs: number) => {
  const groups = sizes.map((size, group) => Array.from({ length: size }, (_, i) => `${group}.${i}`))
  const events: Array<readonly [at: number, event: Runner.RunnerEvent]> = []
  const free = Array.from({ length: jobs }, () => 0)
  for (const group of groups) {
    const process = free.indexOf(Math.min(...free))
    let now = free[process] ?? 0
    for (const key of group) events.push([now, started(key)])
    for (let step = 1; step <= 400; step++)
      for (const key of group) {
        now += (step <= 100 ? 4 : 1) / speed
        events.push([now, stepped(key, step)])
      }
    for (const key of group) events.push([(now += work.end / speed), finished(key)])
    free[process] = now
  }
  const end = Math.max(...free)
  const sorted = events.toSorted(([a], [b]) => a - b)
  let state = TimeLeft.follow(TimeLeft.start, plannedOf(groups, jobs), 0)
  return sorted.map(([at, event]) => {
    state = TimeLeft.follow(state, event, 1000 * at)
    return { told: TimeLeft.left(state, 1000 * at), truth: end - at, at, end }
  })
}

describe("the time left", () => {
  it("is the truth in lock-step at a steady pace, and too long by no more than what is under way makes it", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 2 }),
        (jobs, size, rounds) => {
          const moments = play(
            Array.from({ length: jobs * rounds }, () => size),
            jobs
          )
          const whole = jobs * rounds * size * work.total
          // what each process has done without having told of it: steps of a group, and the measures of a cell
          const untold = jobs * (4 * size + work.end)
          for (const { told, truth, at } of moments) {
            const least = at * jobs * speed - untold
            if (told === undefined || least <= 0) continue
            assert.isAtLeast(told, truth - 1e-6)
            assert.isAtMost(told - truth, (untold * whole) / least / (jobs * speed))
          }
          assert.strictEqual(moments.at(-1)?.told, 0)
          assert.isAbove(moments.filter(({ told }) => told !== undefined).length, 0.9 * moments.length)
        }
      ),
      { numRuns: 10 }
    ))

  it("knows that steps become cheaper, where steps by themselves would say thrice as long", () => {
    const state = after([0, plannedOf([["a"]], 1)], [0, started("a")], [40, stepped("a", 100)])
    // four hundred of a thousand units in forty seconds; three of four hundred steps are left
    assert.strictEqual(TimeLeft.left(state, 40_000), 60)
  })

  it("does not divide the last group by processes that have nothing to do", () => {
    const one = after(
      [0, plannedOf([["a"], ["b"], ["c"]], 2)],
      [0, started("a")],
      [0, started("b")],
      [100, finished("a")],
      [100, finished("b")],
      [100, started("c")]
    )
    assert.strictEqual(TimeLeft.left(one, 100_000), 100)
  })

  it("counts what was done before an interruption neither as done here nor as left", () => {
    const state = after([0, plannedOf([["a"]], 1)], [0, started("a", 100)], [10, stepped("a", 200)])
    assert.strictEqual(TimeLeft.left(state, 10_000), 50)
  })

  it("leaves out what another process works on until it is taken over", () => {
    const shared = after(
      [0, plannedOf([["a"], ["b"]], 1)],
      [0, started("a")],
      [0, { _tag: "CellElsewhere", cell: cellOf("b") }],
      [40, stepped("a", 100)]
    )
    assert.strictEqual(TimeLeft.left(shared, 40_000), 60)
    const taken = TimeLeft.follow(shared, started("b"), 40_000)
    assert.strictEqual(TimeLeft.left(taken, 40_000), 160)
    const others = TimeLeft.follow(shared, finished("b"), 40_000)
    assert.strictEqual(TimeLeft.left(others, 40_000), 60)
  })

  it("takes a cell that diverged for over, not for quick", () => {
    const state = after(
      [0, plannedOf([["a"], ["b"]], 1)],
      [0, started("a")],
      [40, stepped("a", 100)],
      [40, finished("a", "loss NaN")]
    )
    assert.strictEqual(TimeLeft.left(state, 40_000), 100)
  })

  it("tells nothing before the first step, and 0 when all is done", () => {
    const begun = after([0, plannedOf([["a"]], 1)], [1, started("a")])
    assert.strictEqual(TimeLeft.left(begun, 2000), undefined)
    assert.strictEqual(TimeLeft.left(TimeLeft.follow(begun, finished("a"), 3000), 3000), 0)
  })
})
