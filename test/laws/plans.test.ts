import { assert, describe, it } from "@effect/vitest"
import { Granularity, PrunePlan, Ranking } from "homodistil/pruning"
import { Spec } from "homodistil/spec"
import { granularityLaws, planLaws, type Plans, rankingLaws } from "./plans.ts"
import { rejects } from "./rejects.ts"

describe("prune plans", () => {
  it.each(Object.keys(planLaws))("%s", (law) => planLaws[law]?.(PrunePlan))
})

describe.each([Granularity.producers(), Granularity.users()].map((subject) => ({ subject, name: subject.spec.name })))(
  "granularity $name",
  ({ subject }) => {
    it.each(Object.keys(granularityLaws))("%s", (law) => granularityLaws[law]?.(subject))
  }
)

const rankings = [
  Ranking.local(),
  Ranking.local({ multiples: { hidden: 2 } }),
  Ranking.local({ multiples: { qk: 2, hidden: 3 } })
]

describe.each(rankings.map((subject) => ({ subject, name: Spec.describe(subject.spec) })))(
  "ranking $name",
  ({ subject }) => {
    it.each(Object.keys(rankingLaws))("%s", (law) => rankingLaws[law]?.(subject))
  }
)

const { local } = Ranking
const wrongPlans: ReadonlyArray<readonly [law: string, plans: Plans]> = [
  ["identityDoesNothing", { ...PrunePlan, isIdentity: (plan) => plan.kept.size === 0 }],
  [
    "composingAssociates",
    {
      ...PrunePlan,
      compose: (a, b) =>
        PrunePlan.of({ ...Object.fromEntries(a.kept), hidden: [...(a.kept.get("hidden") ?? []), b.kept.size] })
    }
  ],
  [
    "composedIsTwice",
    { ...PrunePlan, compose: (first, second) => ({ kept: new Map([...first.kept, ...second.kept]) }) }
  ],
  [
    "cuttingPicks",
    {
      ...PrunePlan,
      cutTree: (tree, specs, plan) =>
        PrunePlan.cutTree(tree, specs, {
          kept: new Map([...plan.kept].map(([axis, units]) => [axis, axis === "hidden" ? units.toReversed() : units]))
        })
    }
  ],
  [
    "masksMarkTheKept",
    { ...PrunePlan, mask: (plan, axes) => PrunePlan.mask(plan.kept.size > 1 ? PrunePlan.identity : plan, axes) }
  ],
  [
    "survivesJson",
    { ...PrunePlan, toJson: (plan) => Object.fromEntries(Object.entries(PrunePlan.toJson(plan)).slice(1)) }
  ]
]

const wrongGranularities: ReadonlyArray<readonly [law: string, granularity: Granularity.Granularity]> = [
  [
    "isANorm",
    {
      spec: Spec.make("signed"),
      unitScores: ({ size }, members) =>
        new Float32Array(size).fill(members.reduce((sum, m) => sum + (m.scores.data[0] ?? 0), 0))
    }
  ],
  [
    "membersCommute",
    {
      spec: Spec.make("first member only"),
      unitScores: (axis, members) => Granularity.users().unitScores(axis, members.slice(0, 1))
    }
  ],
  [
    "unitsAreAlike",
    {
      spec: Spec.make("later units count more"),
      unitScores: (axis, members) =>
        Granularity.users()
          .unitScores(axis, members)
          .map((score, i) => score * (i + 1))
    }
  ]
]

const wrongRankings: ReadonlyArray<readonly [law: string, ranking: Ranking.Ranking]> = [
  [
    "plansAreWellFormed",
    {
      ...local(),
      plan: (input) => ({
        kept: new Map([...local().plan(input).kept].map(([axis, units]) => [axis, units.toReversed()]))
      })
    }
  ],
  [
    "widthsNeverGrow",
    {
      ...local(),
      plan: (input) => ({
        kept: new Map(
          [...input.current.values()].map((axis) => [axis.id, Int32Array.from({ length: axis.size }, (_, i) => i)])
        )
      })
    }
  ],
  [
    "theBestStay",
    {
      ...local(),
      plan: (input) =>
        local().plan({
          ...input,
          scores: new Map([...input.scores].map(([axis, scores]) => [axis, scores.map((score) => -score)]))
        })
    }
  ],
  [
    "tiesGoByIndex",
    {
      ...local(),
      plan: (input) =>
        local().plan({
          ...input,
          scores: new Map([...input.scores].map(([axis, scores]) => [axis, scores.map((score, i) => score + i * 1e-6)]))
        })
    }
  ]
]

describe("the laws of pruning", () => {
  it.each(wrongPlans)("%s rejects a broken twin", (law, plans) => rejects(() => planLaws[law]?.(plans)))
  it.each(wrongGranularities)("%s rejects a broken twin", (law, granularity) =>
    rejects(() => granularityLaws[law]?.(granularity))
  )
  it.each(wrongRankings)("%s rejects a broken twin", (law, ranking) => rejects(() => rankingLaws[law]?.(ranking)))

  it("each have a broken twin", () => {
    assert.deepStrictEqual(wrongPlans.map(([law]) => law).toSorted(), Object.keys(planLaws).toSorted())
    assert.deepStrictEqual(wrongGranularities.map(([law]) => law).toSorted(), Object.keys(granularityLaws).toSorted())
    assert.deepStrictEqual(wrongRankings.map(([law]) => law).toSorted(), Object.keys(rankingLaws).toSorted())
  })
})
