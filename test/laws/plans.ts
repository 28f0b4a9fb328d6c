import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { type HostTensor, Tensor } from "homodistil/backend"
import { Axis, type ParameterSpec } from "homodistil/model"
import { Granularity, type PrunePlan, type Ranking } from "homodistil/pruning"
import { Seed } from "homodistil/spec"
import { uniform } from "./random.ts"

/** What can be done with plans. */
export type Plans = Pick<
  typeof PrunePlan,
  | "identity"
  | "of"
  | "compose"
  | "cut"
  | "cutTree"
  | "isIdentity"
  | "axesAfter"
  | "mask"
  | "parameterMask"
  | "toJson"
  | "fromJson"
>

/** A law: fails where the operations on plans break it. */
export type PlanLaw = (plans: Plans) => void

/** The axes of a toy model: a shared one, and one of two blocks. */
export const toyAxes: Axis.Axes = Axis.of([
  { id: "vocab", size: 5, blocks: 1, prunable: false },
  { id: "hidden", size: 6, blocks: 1, prunable: true },
  { id: "layer.0.qk", size: 8, blocks: 2, prunable: true }
])

/** Its parameters: one of each rank, and one with the same axis twice. */
export const toySpecs: ReadonlyArray<ParameterSpec> = [
  { name: "words", axes: ["vocab", "hidden"], output: "hidden" },
  { name: "bias", axes: ["hidden"], output: "hidden" },
  { name: "square", axes: ["hidden", "hidden"], output: "hidden" },
  { name: "query", axes: ["layer.0.qk", "hidden"], output: "layer.0.qk" },
  { name: "cube", axes: ["vocab", "layer.0.qk", "hidden"], output: "hidden" }
]

type Tree = { readonly [name: string]: HostTensor }

const toyTree = (seed: number): Tree =>
  Object.fromEntries(
    toySpecs.map((spec) => [
      spec.name,
      uniform(
        Seed.child(Seed.make(seed), spec.name),
        spec.axes.map((id) => Axis.get(toyAxes, id).size)
      )
    ])
  )

const subset = (size: number): fc.Arbitrary<ReadonlyArray<number>> =>
  fc.subarray(
    Array.from({ length: size }, (_, i) => i),
    { minLength: 1 }
  )

/** Kept units of some of the axes, given their sizes. */
const kept = (hidden: number, qk: number) =>
  fc.record({ hidden: subset(hidden), "layer.0.qk": subset(qk) }, { requiredKeys: [] })

type Kept = { hidden?: ReadonlyArray<number>; "layer.0.qk"?: ReadonlyArray<number> }

const planOf = (plans: Plans, k: Kept): PrunePlan.PrunePlan =>
  plans.of(
    Object.fromEntries(Object.entries(k).flatMap(([axis, units]) => (units === undefined ? [] : [[axis, units]])))
  )

const widths = (k: Kept, hidden = 6, qk = 8): readonly [number, number] => [
  k.hidden?.length ?? hidden,
  k["layer.0.qk"]?.length ?? qk
]

const two = kept(6, 8).chain((a) => kept(...widths(a)).map((b) => [a, b] as const))
const three = two.chain(([a, b]) => kept(...widths(b, ...widths(a))).map((c) => [a, b, c] as const))

const plain = (plan: PrunePlan.PrunePlan) =>
  Object.fromEntries([...plan.kept].map(([axis, units]) => [axis, [...units]]))

/** Keeping everything changes no bit, and composing with it changes no plan. */
export const identityDoesNothing: PlanLaw = (plans) =>
  fc.assert(
    fc.property(kept(6, 8), fc.nat({ max: 1e6 }), (k, seed) => {
      const plan = planOf(plans, k)
      assert.deepStrictEqual(plain(plans.compose(plans.identity, plan)), plain(plan))
      assert.deepStrictEqual(plain(plans.compose(plan, plans.identity)), plain(plan))
      const all = plans.of({ hidden: [0, 1, 2, 3, 4, 5], "layer.0.qk": [0, 1, 2, 3, 4, 5, 6, 7] })
      const tree = toyTree(seed)
      for (const nothing of [plans.identity, all]) {
        assert.isTrue(plans.isIdentity(nothing, toyAxes))
        assert.deepStrictEqual(plans.cutTree(tree, toySpecs, nothing), tree)
      }
      assert.strictEqual(plans.isIdentity(plan, toyAxes), widths(k)[0] === 6 && widths(k)[1] === 8)
    })
  )

/** Composing is associative. */
export const composingAssociates: PlanLaw = (plans) =>
  fc.assert(
    fc.property(three, (ks) => {
      const [a, b, c] = ks.map((k) => planOf(plans, k))
      if (a === undefined || b === undefined || c === undefined) return
      const [left, right] = [plans.compose(plans.compose(a, b), c), plans.compose(a, plans.compose(b, c))]
      assert.deepStrictEqual(plain(left), plain(right))
    })
  )

/** Cutting by a composed plan is cutting twice, for tensors and for axes. */
export const composedIsTwice: PlanLaw = (plans) =>
  fc.assert(
    fc.property(two, fc.nat({ max: 1e6 }), ([ka, kb], seed) => {
      const [a, b] = [planOf(plans, ka), planOf(plans, kb)]
      const tree = toyTree(seed)
      const both = plans.compose(a, b)
      const twice = plans.cutTree(plans.cutTree(tree, toySpecs, a), toySpecs, b)
      assert.deepStrictEqual(plans.cutTree(tree, toySpecs, both), twice)
      assert.deepStrictEqual(plans.axesAfter(toyAxes, both), plans.axesAfter(plans.axesAfter(toyAxes, a), b))
    })
  )

/** Cutting a tree is cutting each leaf: number by number what a plain loop picks, in the shape the axes then have. */
export const cuttingPicks: PlanLaw = (plans) =>
  fc.assert(
    fc.property(kept(6, 8), fc.nat({ max: 1e6 }), (k, seed) => {
      const plan = planOf(plans, k)
      const tree = toyTree(seed)
      const after = plans.axesAfter(toyAxes, plan)
      const cut = plans.cutTree(tree, toySpecs, plan)
      for (const spec of toySpecs) {
        const [whole, part] = [tree[spec.name], cut[spec.name]]
        if (whole === undefined || part === undefined) throw new RangeError(`no ${spec.name}`)
        assert.deepStrictEqual(
          part.shape,
          spec.axes.map((id) => Axis.get(after, id).size)
        )
        assert.deepStrictEqual([...part.data], picked(whole, spec, plan))
        assert.deepStrictEqual(plans.cut(whole, spec.axes, plan), part)
      }
    })
  )

const picked = (whole: HostTensor, spec: ParameterSpec, plan: PrunePlan.PrunePlan): ReadonlyArray<number> => {
  const chosen = whole.shape.map((size, d) => {
    const units = plan.kept.get(spec.axes[d] ?? "")
    return units === undefined ? Array.from({ length: size }, (_, i) => i) : [...units]
  })
  const offsets = chosen.reduce<ReadonlyArray<number>>(
    (so, units, d) => so.flatMap((offset) => units.map((unit) => offset * (whole.shape[d] ?? 1) + unit)),
    [0]
  )
  return offsets.map((offset) => whole.data[offset] ?? Number.NaN)
}

/** A mask is 1 on exactly the kept units; where a masked tensor is cut, nothing masked is left. */
export const masksMarkTheKept: PlanLaw = (plans) =>
  fc.assert(
    fc.property(kept(6, 8), (k) => {
      const plan = planOf(plans, k)
      for (const [axis, ones] of Object.entries(plans.mask(plan, toyAxes))) {
        const units = plan.kept.get(axis) ?? Int32Array.from(ones, (_, i) => i)
        assert.deepStrictEqual(
          [...ones].flatMap((one, i) => (one === 1 ? [i] : [])),
          [...units]
        )
        assert.isTrue(ones.every((one) => one === 0 || one === 1))
      }
      for (const spec of toySpecs) {
        const mask = plans.parameterMask(spec, toyAxes, plan)
        const left = plans.cut(mask, spec.axes, plan).data
        const sum = (xs: ArrayLike<number>) => Array.from(xs).reduce((s, x) => s + x, 0)
        assert.strictEqual(sum(left), left.length)
        assert.strictEqual(sum(mask.data), left.length)
      }
    })
  )

/** A plan survives JSON. */
export const survivesJson: PlanLaw = (plans) =>
  fc.assert(
    fc.property(kept(6, 8), (k) => {
      const plan = planOf(plans, k)
      const text = JSON.stringify(plans.toJson(plan))
      assert.deepStrictEqual(plain(Effect.runSync(plans.fromJson(JSON.parse(text)))), plain(plan))
    })
  )

/** All laws of plans, by name. */
export const planLaws: { readonly [law: string]: PlanLaw } = {
  identityDoesNothing,
  composingAssociates,
  composedIsTwice,
  cuttingPicks,
  masksMarkTheKept,
  survivesJson
}

/** A law of granularities: fails where the granularity breaks it. */
export type GranularityLaw = (granularity: Granularity.Granularity) => void

const scoresOf = (granularity: Granularity.Granularity, specs: ReadonlyArray<ParameterSpec>, tree: Tree) =>
  Granularity.scoreUnits(granularity, toyAxes, specs, tree)

const forTrees = (check: (tree: Tree, seed: number) => void): void =>
  fc.assert(fc.property(fc.nat({ max: 1e6 }), (seed) => check(toyTree(seed), seed)))

/** Unit scores are not negative, grow with the elementwise ones and do not look at signs. */
export const isANorm: GranularityLaw = (granularity) =>
  forTrees((tree) => {
    const scaled = (c: number) =>
      Object.fromEntries(Object.entries(tree).map(([n, x]) => [n, { ...x, data: x.data.map((v) => c * v) }]))
    const once = scoresOf(granularity, toySpecs, tree)
    const twice = scoresOf(granularity, toySpecs, scaled(-2))
    for (const [axis, scores] of once) {
      assert.lengthOf(scores, Axis.get(toyAxes, axis).size)
      assert.isTrue(scores.every((score) => score >= 0))
      assert.deepStrictEqual(
        [...(twice.get(axis) ?? [])],
        [...scores].map((score) => 2 * score)
      )
    }
  })

/** The order of parameters does not matter. */
export const membersCommute: GranularityLaw = (granularity) =>
  forTrees((tree, seed) => {
    const order = [...Seed.permutation(Seed.make(seed), toySpecs.length)]
    const shuffled = order.flatMap((i) => toySpecs[i] ?? [])
    assert.deepStrictEqual(scoresOf(granularity, shuffled, tree), scoresOf(granularity, toySpecs, tree))
  })

/** Units in another order have their scores in that order. */
export const unitsAreAlike: GranularityLaw = (granularity) =>
  forTrees((tree, seed) => {
    const order = Seed.permutation(Seed.make(seed), 6)
    const bias = { name: "bias", axes: ["hidden"], output: "hidden" }
    const moved = Tensor.host(Float32Array.from(order, (i) => tree["bias"]?.data[i] ?? 0))
    const before = scoresOf(granularity, [bias], tree).get("hidden") ?? new Float32Array()
    const after = scoresOf(granularity, [bias], { bias: moved }).get("hidden") ?? new Float32Array()
    assert.deepStrictEqual(
      [...after],
      Array.from(order, (i) => before[i] ?? Number.NaN)
    )
  })

/** All laws of granularities, by name. */
export const granularityLaws: { readonly [law: string]: GranularityLaw } = { isANorm, membersCommute, unitsAreAlike }

/** A law of rankings: fails where the ranking breaks it. */
export type RankingLaw = (ranking: Ranking.Ranking) => void

const drawScores = (seed: number, axes: Axis.Axes): ReadonlyMap<Axis.AxisId, Float32Array> =>
  new Map(
    Axis.prunable(axes).map((axis) => [
      axis.id,
      Float32Array.from(Seed.uniforms(Seed.child(Seed.make(seed), axis.id), axis.size))
    ])
  )

/** A run's prunings at falling ratios: the plan and the axes before each. */
const prunings = (ranking: Ranking.Ranking, ratios: ReadonlyArray<number>, seed: number) => {
  const falling = ratios.toSorted((a, b) => b - a)
  let current = toyAxes
  return falling.map((ratio, i) => {
    const input = { original: toyAxes, current, ratio, scores: drawScores(seed + i, current) }
    const plan = ranking.plan(input)
    const before = current
    current = Axis.resize(current, new Map([...plan.kept].map(([axis, units]) => [axis, units.length])))
    return { input, plan, before, after: current }
  })
}

const forPrunings = (ranking: Ranking.Ranking, check: (p: ReturnType<typeof prunings>[number]) => void): void =>
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 }),
      fc.nat({ max: 1e6 }),
      (ratios, seed) => prunings(ranking, ratios, seed).forEach(check)
    )
  )

const blocks = (axis: Axis.Axis, units: Iterable<number>): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: axis.blocks }, (_, b) =>
    [...units].filter((i) => Math.floor(i / (axis.size / axis.blocks)) === b)
  )

/** Indices rise and are there; every block of an axis keeps the same number of units, at least one; the plan has the width foretold. */
export const plansAreWellFormed: RankingLaw = (ranking) =>
  forPrunings(ranking, ({ input, plan, before }) => {
    const foretold = ranking.widths(input)
    assert.deepStrictEqual(
      [...plan.kept].map(([axis, units]) => [axis, units.length]),
      [...foretold]
    )
    for (const [id, units] of plan.kept) {
      const axis = Axis.get(before, id)
      assert.isTrue(axis.prunable)
      assert.isTrue(units.every((unit, i) => unit < axis.size && unit >= 0 && (i === 0 || unit > (units[i - 1] ?? 0))))
      const counts = new Set(blocks(axis, units).map((block) => block.length))
      assert.strictEqual(counts.size, 1)
      assert.isAbove(Math.min(...counts), 0)
    }
  })

/** Axes shrink or stay, and only those that shrink are named; a ratio of 1 prunes nothing. */
export const widthsNeverGrow: RankingLaw = (ranking) => {
  forPrunings(ranking, ({ plan, before }) => {
    for (const [axis, units] of plan.kept) assert.isBelow(units.length, Axis.get(before, axis).size)
  })
  const whole = { original: toyAxes, current: toyAxes, ratio: 1 }
  assert.strictEqual(ranking.plan({ ...whole, scores: drawScores(1, toyAxes) }).kept.size, 0)
}

/** In each block, nothing that goes scores higher than anything that stays. */
export const theBestStay: RankingLaw = (ranking) =>
  forPrunings(ranking, ({ input, plan, before }) => {
    for (const [id, units] of plan.kept) {
      const axis = Axis.get(before, id)
      const score = (i: number) => input.scores.get(id)?.[i] ?? Number.NaN
      const all = blocks(
        axis,
        Array.from({ length: axis.size }, (_, i) => i)
      )
      all.forEach((block) => {
        const stay = block.filter((i) => units.includes(i)).map(score)
        const go = block.filter((i) => !units.includes(i)).map(score)
        assert.isAtLeast(Math.min(...stay), Math.max(...go, 0))
      })
    }
  })

/** Among equals the lower index stays. */
export const tiesGoByIndex: RankingLaw = (ranking) => {
  const scores = new Map(Axis.prunable(toyAxes).map((axis) => [axis.id, new Float32Array(axis.size).fill(1)]))
  const plan = ranking.plan({ original: toyAxes, current: toyAxes, ratio: 0.5, scores })
  assert.isAbove(plan.kept.size, 0)
  for (const [id, units] of plan.kept)
    for (const block of blocks(Axis.get(toyAxes, id), units))
      block.forEach((unit, i) => assert.strictEqual(unit, (block[0] ?? 0) + i))
  assert.deepStrictEqual(
    [...plan.kept].map(([id, units]) => blocks(Axis.get(toyAxes, id), units).map((block) => block[0])),
    [...plan.kept].map(([id]) => {
      const { size, blocks: count } = Axis.get(toyAxes, id)
      return Array.from({ length: count }, (_, b) => (b * size) / count)
    })
  )
}

/** All laws of rankings, by name. */
export const rankingLaws: { readonly [law: string]: RankingLaw } = {
  plansAreWellFormed,
  widthsNeverGrow,
  theBestStay,
  tiesGoByIndex
}
