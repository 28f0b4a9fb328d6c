import { assert, describe, it } from "@effect/vitest"
import { RemainingRatio } from "homodistil/pruning"
import { Schedule } from "homodistil/schedule"
import { Spec } from "homodistil/spec"
import { rejects } from "./rejects.ts"
import { ratioLaws, scheduleLaws } from "./schedules.ts"

const line = Schedule.linear({ from: 1, to: 0.25, begin: 3, end: 90 })

/** Every schedule: a new one joins by one line. */
const schedules: ReadonlyArray<Schedule.Schedule> = [
  Schedule.constant(3),
  line,
  Schedule.polynomial({ from: 0, to: 2, power: 3, end: 100 }),
  Schedule.cosine({ from: 1, to: 0.1, begin: 10, end: 60.5 }),
  Schedule.warmup(20, line),
  Schedule.delay(50, line),
  Schedule.staircase(7, line),
  Schedule.join([Schedule.constant(1), line, Schedule.constant(0)], [10, 200]),
  Schedule.linearDecayWithWarmup({ peak: 3e-3, steps: 400 }),
  Schedule.linearDecayToFloor({ peak: 1e-3, steps: 400, warmup: 30 })
]

const cubic = RemainingRatio.cubic({ final: 0.25 })

/** Every remaining ratio: a new one joins by one line. */
const ratios: ReadonlyArray<RemainingRatio.RemainingRatio> = [
  RemainingRatio.constant(),
  RemainingRatio.linear({ final: 0.5, start: 0.25, end: 1 }),
  cubic,
  RemainingRatio.polynomial({ final: 0.35, power: 1.5, start: 0.1, end: 0.333 }),
  RemainingRatio.oneShot({ final: 0.3 }),
  RemainingRatio.delay(0.25, cubic),
  RemainingRatio.staircase(10, cubic),
  RemainingRatio.staircase(3, RemainingRatio.delay(0.4, RemainingRatio.linear({ final: 0.1, end: 0.9 })))
]

describe.each(schedules.map((subject) => ({ subject, name: Spec.describe(subject.spec) })))(
  "schedule $name",
  ({ subject }) => {
    it.each(Object.keys(scheduleLaws))("%s", (law) => scheduleLaws[law]?.(subject))
  }
)

describe.each(ratios.map((subject) => ({ subject, name: Spec.describe(subject.spec) })))(
  "ratio $name",
  ({ subject }) => {
    it.each(Object.keys(ratioLaws))("%s", (law) => ratioLaws[law]?.(subject))
  }
)

let calls = 0
const wrongSchedules: ReadonlyArray<readonly [law: string, schedule: Schedule.Schedule]> = [
  ["isPure", { spec: Spec.make("counts its calls"), at: () => ++calls }],
  ["specIsJson", { spec: Spec.make("not JSON", { options: { value: Number.NaN } }), at: () => 1 }]
]

const wrong = (at: (t: number, steps: number) => number): RemainingRatio.RemainingRatio => ({
  spec: Spec.make("wrong"),
  over: (steps) => ({ spec: Spec.make("wrong"), at: (t) => at(t, steps), final: 0.5, ends: steps })
})
const wrongRatios: ReadonlyArray<readonly [law: string, ratio: RemainingRatio.RemainingRatio]> = [
  ["startsWhole", wrong(() => 0.5)],
  ["neverRises", wrong((t, steps) => (t >= steps ? 0.5 : 0.75 + 0.25 * Math.cos(t)))],
  ["staysWithin", wrong((t, steps) => 1 - t / steps)],
  ["endsFinal", wrong((t, steps) => Math.max(0.5, 1 - t / steps))]
]

describe("the laws of schedules", () => {
  it.each(wrongSchedules)("%s rejects a broken twin", (law, schedule) => rejects(() => scheduleLaws[law]?.(schedule)))
  it.each(wrongRatios)("%s rejects a broken twin", (law, ratio) => rejects(() => ratioLaws[law]?.(ratio)))

  it("each have a broken twin", () => {
    assert.deepStrictEqual(wrongSchedules.map(([law]) => law).toSorted(), Object.keys(scheduleLaws).toSorted())
    assert.deepStrictEqual(wrongRatios.map(([law]) => law).toSorted(), Object.keys(ratioLaws).toSorted())
  })

  it("are also checked where a ratio is made", () => {
    for (const [law, ratio] of wrongRatios) {
      const checked = RemainingRatio.make(Spec.make("checked"), (steps) => ratio.over(steps))
      if (law !== "endsFinal") assert.throws(() => checked.over(20), /remaining ratio starts at 1/)
    }
  })
})
