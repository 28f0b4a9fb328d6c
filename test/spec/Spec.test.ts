import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Digest, Spec } from "homodistil/spec"

const names = fc.stringMatching(/^[a-z]{1,5}$/)
const options = fc.dictionary(names, fc.oneof(fc.integer(), names, fc.boolean()), { maxKeys: 3, noNullPrototype: true })
const specs: fc.Arbitrary<Spec.Spec> = fc.letrec<{ spec: Spec.Spec }>((tie) => ({
  spec: fc
    .record({
      name: names,
      version: fc.integer({ min: 1, max: 3 }),
      options,
      parts: fc.oneof({ maxDepth: 3 }, fc.constant([]), fc.array(tie("spec"), { maxLength: 2 }))
    })
    .map(({ name, ...rest }) => Spec.make(name, rest))
})).spec

describe("Spec", () => {
  it("has version 1 and no options unless it is given others", () => {
    assert.deepStrictEqual(Spec.make("magnitude"), { name: "magnitude", version: 1, options: {} })
    assert.deepStrictEqual(Spec.toJson(Spec.make("magnitude")), { name: "magnitude", version: 1, options: {} })
  })

  it("becomes JSON that holds everything: equal digests mean equal specs", () =>
    fc.assert(
      fc.property(specs, specs, (a, b) => {
        assert.deepStrictEqual(JSON.parse(JSON.stringify(Spec.toJson(a))), JSON.parse(JSON.stringify(a)))
        const raised = { ...a, version: a.version + 1 }
        assert.notStrictEqual(Digest.of(Spec.toJson(raised)), Digest.of(Spec.toJson(a)))
        const wrapped = Spec.make("sum", { parts: [a, b] })
        const swapped = Spec.make("sum", { parts: [b, a] })
        assert.strictEqual(
          Digest.of(Spec.toJson(wrapped)) === Digest.of(Spec.toJson(swapped)),
          Digest.of(Spec.toJson(a)) === Digest.of(Spec.toJson(b))
        )
      })
    ))

  it("is told to people by name, options and parts", () => {
    const inner = Spec.make("sensitivity")
    const told = Spec.describe(
      Spec.make("ema", { options: { beta: 0.5, kind: "slow", on: [1, true], limit: null }, parts: [inner, inner] })
    )
    assert.strictEqual(told, "ema(beta: 0.5, kind: slow, on: [1,true], limit: null, sensitivity, sensitivity)")
    assert.strictEqual(Spec.describe(inner), "sensitivity")
    fc.assert(fc.property(specs, (spec) => assert.include(Spec.describe(spec), spec.name)))
  })
})
