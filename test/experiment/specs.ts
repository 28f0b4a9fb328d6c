import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { Runner } from "homodistil/experiment"
import type { Json, Spec } from "homodistil/spec"
import { runner } from "./toy.ts"

const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x))

/** JSON values without specs: numbers, texts, lists and objects. */
export const values: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    number,
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.string(), tie("value"), { noNullPrototype: true, maxKeys: 3 })
  )
})).value

// a component has no option that is called like one of its parts
const component = fc.constantFrom("platon", "kl", "sum", "windowMean")
const options = fc.dictionary(fc.constantFrom("window", "beta", "end.at"), fc.oneof(number, values), {
  noNullPrototype: true,
  maxKeys: 2
})

/** Specs with options and parts, some of them of one name. */
export const specs: fc.Arbitrary<Spec.Spec> = fc.letrec<{ spec: Spec.Spec }>((tie) => ({
  spec: fc
    .record(
      {
        name: component,
        version: fc.integer({ min: 1, max: 2 }),
        options,
        parts: fc.array(tie("spec"), { maxLength: 3, depthIdentifier: "spec" })
      },
      { requiredKeys: ["name", "version", "options"], noNullPrototype: true }
    )
    .map((spec): Spec.Spec => spec)
})).spec

const [first] = await Effect.runPromise(Runner.plan(runner().options))
if (first === undefined) throw new Error("the toy experiment has cells")

/** The spec of a cell of the toy experiment: magnitude, seed 0. */
export const cellSpec = first.spec
