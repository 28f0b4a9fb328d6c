import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { duplicateKey } from "../../src/checkpoint/duplicateKey.ts"

describe("duplicateKey", () => {
  it("finds none in what a program wrote, whatever is in it", () =>
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
        assert.isUndefined(duplicateKey(JSON.stringify(value, undefined, indent)))
      })
    ))

  it("finds a key that an object holds twice, at any depth and however it is written", () =>
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.jsonValue(), fc.jsonValue(), fc.nat(3), (key, a, b, depth) => {
        const object = `{ ${JSON.stringify(key)} : ${JSON.stringify(a)}, ${JSON.stringify(key)}:${JSON.stringify(b)}}`
        assert.strictEqual(duplicateKey(`${'[{"x":'.repeat(depth)}${object}${"}]".repeat(depth)}`), key)
      })
    ))

  it("tells keys from values, and one object's from another's", () => {
    assert.isUndefined(duplicateKey('[{"a":"a"},{"a":["a","a"]},{"a":{"a":1}}]'))
    assert.isUndefined(duplicateKey(String.raw`{"a\"":1,"a":"\\","b":"{\"a\":1,\"a\":2}"}`))
    assert.strictEqual(duplicateKey(String.raw`{"a":1,"\u0061":2}`), "a")
    assert.strictEqual(duplicateKey('{"__proto__":1,"__proto__":2}'), "__proto__")
  })
})
