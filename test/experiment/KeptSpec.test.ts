import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Cell, KeptSpec } from "homodistil/experiment"
import { canonical, type Json, Spec } from "homodistil/spec"
import { cellSpec, specs, values } from "./specs.ts"

/** The values in a JSON value that are not divided further, by a plain loop. */
const scalars = (value: Json): ReadonlyArray<string> => {
  const left = [value]
  const found: Array<string> = []
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const inside = typeof next === "object" && next !== null ? Object.values(next) : []
    if (inside.length > 0) left.push(...inside)
    else found.push(JSON.stringify(next))
  }
  return found.toSorted()
}

describe("KeptSpec", () => {
  it("reads a spec as it was written, and nothing else as a spec", () => {
    fc.assert(fc.property(specs, (spec) => assert.deepStrictEqual(KeptSpec.read(Spec.toJson(spec)), spec)))
    for (const value of [
      null,
      1,
      "a",
      [],
      {},
      { name: "a", version: 1 },
      { name: "a", version: 1, options: {}, more: 1 }
    ])
      assert.strictEqual(KeptSpec.read(value), undefined)
  })

  it("has a leaf for every value of plain JSON", () =>
    fc.assert(
      fc.property(fc.dictionary(fc.string(), values, { noNullPrototype: true, minKeys: 1 }), (value) => {
        const leaves = [...KeptSpec.leaves(value).values()].map((leaf) => JSON.stringify(leaf))
        assert.deepStrictEqual(leaves.toSorted(), scalars(value))
      })
    ))

  it("has different leaves for different specs", () =>
    fc.assert(
      fc.property(specs, specs, (a, b) => {
        const [one, other] = [a, b].map((spec) => JSON.stringify([...KeptSpec.leaves(Spec.toJson(spec))]))
        assert.strictEqual(one === other, canonical(Spec.toJson(a)) === canonical(Spec.toJson(b)))
      })
    ))

  it("knows the components of a cell's plan", () => {
    const spec = Cell.describe(cellSpec)
    const { scorer, training } = KeptSpec.components(spec)
    assert.deepStrictEqual(scorer, cellSpec.plan.scorer.spec)
    assert.strictEqual(training?.options["steps"], 6)
    const leaves = KeptSpec.leaves(KeptSpec.unfolded(spec))
    assert.strictEqual(leaves.get("plan.scorer"), "magnitude")
    assert.strictEqual(leaves.get("seed"), 0)
    assert.deepStrictEqual(KeptSpec.components({}), {})
  })

  it("leaves the plan folded where it is more than its components", () => {
    const scorer = Spec.make("scorer", { parts: [Spec.make("platon")] })
    const at = (plan: Spec.Spec) => KeptSpec.unfolded({ plan: Spec.toJson(plan) })
    assert.deepStrictEqual(at(Spec.make("distillation", { parts: [scorer] })), {
      plan: { scorer: Spec.toJson(Spec.make("platon")) }
    })
    for (const plan of [
      Spec.make("distillation", { parts: [scorer], version: 2 }),
      Spec.make("distillation", { parts: [scorer, scorer] }),
      Spec.make("distillation", { parts: [scorer], options: { x: 1 } })
    ])
      assert.deepStrictEqual(at(plan), { plan: Spec.toJson(plan) })
  })

  it("says what varies once: an option that all who have it share is told by its component", () => {
    const platon = Spec.toJson(Spec.make("platon", { options: { beta: 0.9, window: 10 } }))
    const magnitude = Spec.toJson(Spec.make("magnitude"))
    const cells = [
      { seed: 0, scorer: platon },
      { seed: 1, scorer: magnitude },
      { seed: 1, scorer: platon, trajectory: { points: 4 } }
    ]
    const { paths, leaves } = KeptSpec.columns(cells)
    assert.deepStrictEqual(paths, ["scorer", "seed", "trajectory.points"])
    assert.deepStrictEqual(
      leaves.map((each) => paths.map((path) => each.get(path))),
      [
        ["platon", 0, undefined],
        ["magnitude", 1, undefined],
        ["platon", 1, 4]
      ]
    )
    assert.deepStrictEqual(KeptSpec.varying(cells.map((cell) => KeptSpec.leaves(cell))), paths)
  })

  it("has one column for each leaf that is not the same in all, and none for others", () =>
    fc.assert(
      fc.property(fc.array(fc.record({ a: fc.nat(2), b: fc.nat(2) }), { minLength: 1 }), (cells) => {
        const different = (["a", "b"] as const).filter((key) => cells.some((cell) => cell[key] !== cells[0]?.[key]))
        assert.deepStrictEqual(KeptSpec.columns(cells).paths, different)
      })
    ))

  it("tells specs of one kind apart in few words", () => {
    const cubic = (final: number) => Spec.make("cubic", { options: { end: 0.7, final } })
    const delay = Spec.make("delay", { options: { by: 0.5 }, parts: [cubic(0.25)] })
    assert.deepStrictEqual(KeptSpec.briefs([cubic(0.5), cubic(0.25), delay]), [
      "cubic(final: 0.5)",
      "cubic(final: 0.25)",
      "delay(cubic)"
    ])
  })

  it("draws a tree in which every option of a spec stands", () =>
    fc.assert(
      fc.property(specs, (spec) => {
        const tree = KeptSpec.tree({ spec: Spec.toJson(spec) }).join("\n")
        for (const [key, value] of Object.entries(spec.options))
          if (typeof value === "number") assert.include(tree, `\n  ${key}  ${value}`)
        for (const part of spec.parts ?? []) assert.include(tree, `\n  ${part.name}`)
      })
    ))
})
