import { assert, describe, it } from "@effect/vitest"
import { Tensor } from "homodistil/backend"
import { compileErrorOf, makeRegistry, reasonOf } from "../../src/backend/Registry.ts"

describe("the registry of live tensors", () => {
  it("finds what was added until it is removed, and counts", () => {
    const registry = makeRegistry<string>()
    const [a, b] = [registry.add(Tensor.float(1), "a"), registry.add(Tensor.float(1), "b")]
    registry.openSession()
    assert.deepStrictEqual([registry.get(a), registry.get(b), registry.live()], ["a", "b", { tensors: 2, sessions: 1 }])
    assert.strictEqual(registry.remove(a), "a")
    registry.closeSession()
    assert.deepStrictEqual(registry.live(), { tensors: 1, sessions: 0 })
    assert.throws(() => registry.get(a), /tensor 0 \[1\] was released before this use/)
    assert.throws(() => registry.remove(a), /released/)
    // a new tensor never takes the number of an old one
    assert.notStrictEqual(registry.add(Tensor.float(1), "c").id, a.id)
  })
})

describe("what went wrong in a text", () => {
  it("is told with kernel, line and reason", () => {
    const error = compileErrorOf("f", new Error("Kernel 'TopK' not registered for backend 'x'"), undefined)
    assert.deepStrictEqual([error.kernel, error.function], ["TopK", "f"])
    assert.match(error.where, /Registry\.test\.ts:\d+:\d+/)
    assert.match(reasonOf(new Error("Kernel 'TopK' not registered for backend 'x'")), /^it has no kernel TopK \(at /)
    assert.match(reasonOf(new Error("shapes differ")), /^shapes differ \(at .*Registry\.test\.ts/)
  })

  it("is told even where it is no error", () => {
    assert.strictEqual(reasonOf("odd"), "odd (at an unknown place)")
    const { kernel, where, reason } = compileErrorOf("f", "odd", "read")
    assert.deepStrictEqual([kernel, where, reason], ["read", "an unknown place", "odd"])
  })
})
