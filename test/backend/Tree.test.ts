import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Tensor, tf, Tree } from "homodistil/backend"

type Numbers = number | { readonly [key: string]: Numbers }
const isNumber: Tree.IsLeaf<number> = (value) => typeof value === "number"

const key = fc.string({ minLength: 1, maxLength: 3 }).filter((k) => !k.includes("/"))
const trees: fc.Arbitrary<Numbers> = fc.letrec<{ tree: Numbers }>((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, fc.integer(), fc.dictionary(key, tie("tree"), { maxKeys: 4, noNullPrototype: true }))
})).tree

/** The same tree with the keys of every record the other way round. */
const reversed = (tree: Numbers): Numbers =>
  typeof tree === "number"
    ? tree
    : Object.fromEntries(
        Object.entries(tree)
          .toReversed()
          .map(([k, v]) => [k, reversed(v)])
      )

describe("Tree", () => {
  it("lists every leaf once, each under a path of its own", () =>
    fc.assert(
      fc.property(trees, (tree) => {
        const count = (t: Numbers): number =>
          typeof t === "number" ? 1 : Object.values(t).reduce<number>((n, child) => n + count(child), 0)
        const entries = Tree.entries(tree, isNumber)
        assert.lengthOf(entries, count(tree))
        assert.strictEqual(new Set(entries.map(([path]) => path)).size, entries.length)
      })
    ))

  it("comes back from its entries by map", () =>
    fc.assert(
      fc.property(trees, (tree) => {
        const values = new Map(Tree.entries(tree, isNumber))
        assert.deepStrictEqual(
          Tree.map(tree, isNumber, (_, path) => values.get(path)),
          tree
        )
      })
    ))

  it("keeps the shape under map, and composes", () =>
    fc.assert(
      fc.property(trees, (tree) => {
        assert.deepStrictEqual(
          Tree.map(tree, isNumber, (x) => x),
          tree
        )
        const twice = Tree.map(
          Tree.map<Numbers, number, number>(tree, isNumber, (x) => x + 1),
          isNumber,
          (x) => x * 2
        )
        assert.deepStrictEqual(
          twice,
          Tree.map(tree, isNumber, (x) => (x + 1) * 2)
        )
      })
    ))

  it("does not depend on the order in which a record was built", () =>
    fc.assert(
      fc.property(trees, (tree) =>
        assert.deepStrictEqual(Tree.entries(reversed(tree), isNumber), Tree.entries(tree, isNumber))
      )
    ))

  it("holds nothing where records are empty", () => {
    assert.deepStrictEqual(Tree.entries({ a: {}, b: { c: {} } }, isNumber), [])
    assert.deepStrictEqual(Tree.map({ a: {}, b: { c: {} } }, isNumber, String), { a: {}, b: { c: {} } })
  })

  it.each([{ "a/b": 1 }, { "": 1 }, { a: { "": { b: 1 } } }])(
    "refuses the key of %j, which could hide another leaf",
    (tree) => assert.throws(() => Tree.entries(tree, isNumber), /key may not be empty or hold a slash/)
  )

  it("refuses what is neither a leaf nor a record", () => {
    assert.throws(() => Tree.entries({ a: { b: "text" } }, isNumber), /a\/b is neither a leaf nor a record/)
    assert.throws(() => Tree.entries(null, isNumber), /the tree is neither/)
  })

  it("tells specs, live tensors and tfjs' tensors apart", () => {
    const spec = Tensor.float(2)
    assert.deepStrictEqual([Tree.isSpec(spec), Tree.isDevice(spec), Tree.isTensor(spec)], [true, false, false])
    assert.isTrue(Tree.isDevice({ ...spec, id: 1 }))
    const tensor = tf.scalar(1)
    assert.isTrue(Tree.isTensor(tensor))
    tensor.dispose()
    assert.isFalse(Tree.isSpec({ shape: [2] }))
  })
})
