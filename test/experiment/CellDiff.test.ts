import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { CellDiff } from "homodistil/experiment"
import { canonical, type Json, Spec } from "homodistil/spec"
import { cells } from "./runStoreSuite.ts"
import { specs, values } from "./specs.ts"

const swapped = (differences: ReadonlyArray<CellDiff.Difference>) =>
  differences.map(({ path, left, right }) => ({ path, left: right, right: left }))

/** The differing leaves of two plain objects of objects, by plain loops. */
const differing = (a: Nested, b: Nested): ReadonlyArray<string> => {
  const paths: Array<string> = []
  for (const outer of ["p", "q"])
    for (const inner of ["x", "y", "z"]) if (a[outer]?.[inner] !== b[outer]?.[inner]) paths.push(`${outer}.${inner}`)
  return paths
}

type Nested = { readonly [key: string]: { readonly [key: string]: number } }

const inner = fc.dictionary(fc.constantFrom("x", "y", "z"), fc.nat(1), { noNullPrototype: true, minKeys: 1 })
const nested: fc.Arbitrary<Nested> = fc.dictionary(fc.constantFrom("p", "q"), inner, { noNullPrototype: true })

describe("CellDiff", () => {
  it("is empty for a cell and itself", () =>
    fc.assert(
      fc.property(cells, (cell) =>
        assert.deepStrictEqual(CellDiff.of(cell, structuredClone(cell)), {
          spec: [],
          diverged: [],
          measures: [],
          steps: [],
          provenance: []
        })
      )
    ))

  it("is the same with the cells the other way round, but for left, right and signs", () =>
    fc.assert(
      fc.property(cells, cells, (a, b) => {
        const [there, back] = [CellDiff.of(a, b), CellDiff.of(b, a)]
        for (const part of ["spec", "diverged", "provenance"] as const)
          assert.deepStrictEqual(back[part], swapped(there[part]))
        assert.deepStrictEqual(back.steps, there.steps)
        assert.deepStrictEqual(
          back.measures,
          there.measures.map(({ measure, left, right, difference }) => ({
            measure,
            left: right,
            right: left,
            difference: difference === undefined ? undefined : -difference
          }))
        )
      })
    ))

  it("names every leaf that differs, and no other", () =>
    fc.assert(
      fc.property(nested, nested, (a, b) =>
        assert.deepStrictEqual(
          // an empty object is a leaf itself, as nothing else tells it
          CellDiff.ofJson({ ...a, k: 0 }, { ...b, k: 0 }).map(({ path }) => path),
          differing(a, b)
        )
      )
    ))

  it("is empty for no two values but equal ones", () => {
    const differs = (a: Json, b: Json) =>
      assert.strictEqual(CellDiff.ofJson(a, b).length === 0, canonical(a) === canonical(b))
    fc.assert(fc.property(values, values, (a, b) => differs([a], [b])))
    fc.assert(fc.property(specs, specs, (a, b) => differs(Spec.toJson(a), Spec.toJson(b))))
  })

  it("names a change of one option of a spec, wherever it is, by the names on the way to it", () => {
    const loss = (temperature: number, version = 1) =>
      Spec.toJson(
        Spec.make("sum", {
          parts: [Spec.make("maskedLm"), Spec.make("kl", { version, options: { temperature } }), Spec.make("kl")]
        })
      )
    assert.deepStrictEqual(CellDiff.ofJson({ loss: loss(1) }, { loss: loss(2) }), [
      { path: "loss.sum.kl.temperature", left: 1, right: 2 }
    ])
    assert.deepStrictEqual(CellDiff.ofJson({ loss: loss(1) }, { loss: loss(1, 2) }), [
      { path: "loss.sum.kl", left: undefined, right: "kl v2" }
    ])
    assert.deepStrictEqual(CellDiff.ofJson({ loss: loss(1) }, { loss: Spec.toJson(Spec.make("maskedLm")) }), [
      { path: "loss", left: "sum(maskedLm, kl, kl)", right: "maskedLm" },
      { path: "loss.sum.kl.temperature", left: 1, right: undefined }
    ])
  })

  it("says what each measure differs by, and from which step on the run went another way", () => {
    const [cell] = fc.sample(cells, { numRuns: 1, seed: 3 })
    if (cell === undefined) throw new Error("there is a sample")
    const point = (step: number, discrepancy: number) => ({ step, discrepancy, parameters: 7 })
    const a = { ...cell, measures: { loss: 1.5, only: 1 }, curve: [point(0, 0), point(10, 1), point(20, 2)] }
    const b = { ...cell, measures: { loss: 2, other: 3 }, curve: [point(0, 0), point(10, 1.5)] }
    const { measures, steps } = CellDiff.of(a, b)
    assert.deepStrictEqual(measures, [
      { measure: "loss", left: 1.5, right: 2, difference: 0.5 },
      { measure: "only", left: 1, right: undefined, difference: undefined },
      { measure: "other", left: undefined, right: 3, difference: undefined }
    ])
    assert.deepStrictEqual(steps, [{ of: "curve", from: 10 }])
  })
})
