import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { evaluate, type HostTensor, Tensor, tf } from "homodistil/backend"
import { Layout } from "homodistil/optimizer"
import { Seed } from "homodistil/spec"

/** Parameters of ranks 1 and 2 with random numbers. */
const parameters = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 6 })
  .map((sizes) =>
    Object.fromEntries(
      sizes.map(([a, b], i): [string, HostTensor] => {
        const shape = b === 0 ? [a] : [a, b]
        return [`p${i}`, Tensor.host(Seed.normals(Seed.make(i), Tensor.elements(shape)), shape)]
      })
    )
  )

const both = { watched: true, unwatched: true }
const specs = (tensors: Layout.ByName<HostTensor>) =>
  Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, Tensor.float(...shape)]))
const even = (name: string) => Number(name.slice(1)) % 2 === 0

describe("the layout of a step's parameters", () => {
  it("puts each parameter into one group, by decay and by who watches", () =>
    fc.assert(
      fc.property(parameters, (tensors) => {
        const params = specs(tensors)
        const groups = Layout.groups({ params, watches: even, elementwise: both })
        assert.deepStrictEqual(groups.flatMap(({ names }) => names).toSorted(), Object.keys(params).toSorted())
        for (const { names, decays, watched } of groups)
          for (const name of names) {
            assert.strictEqual(decays, params[name]?.shape.length === 2)
            assert.strictEqual(watched, even(name))
          }
        assert.isAtMost(groups.length, 4)
      })
    ))

  it("packs and unpacks without changing a bit, on the host and as a text", () =>
    fc.assert(
      fc.asyncProperty(parameters, fc.boolean(), async (tensors, flat) => {
        const params = specs(tensors)
        for (const group of Layout.groups({ params, watches: even, elementwise: { watched: flat, unwatched: true } })) {
          const packed = Layout.packHost(group, tensors)
          assert.deepStrictEqual(packed.shape, Layout.specOf(group, params).shape)
          const apart = Layout.unpackHost(group, packed, params)
          for (const name of group.names) assert.deepStrictEqual(apart[name], tensors[name])
          const own = group.names.flatMap((name) => tensors[name] ?? [])
          const text = await evaluate(
            (...xs) => {
              const byName = Object.fromEntries(xs.map((x, i) => [group.names[i] ?? "", x]))
              const one = Layout.pack(group, byName)
              return Layout.pack(group, Layout.unpack(group, tf.mul(one, 1), params))
            },
            ...own
          )
          assert.deepStrictEqual(text.data, packed.data)
        }
      }),
      { numRuns: 20 }
    ))

  it("keeps parameters apart, in their shapes, where a rule looks at more than one weight", () => {
    const params = { a: Tensor.float(2, 3), b: Tensor.float(3) }
    const apart = Layout.groups({ params, watches: () => true, elementwise: { watched: false, unwatched: true } })
    assert.deepStrictEqual(
      apart.map(({ id, flat }) => [id, flat]),
      [
        ["a", false],
        ["b", false]
      ]
    )
    assert.deepStrictEqual(Layout.specOf(apart[0] ?? assert.fail(), params).shape, [2, 3])
  })
})
