import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type HostTensor, Tensor } from "homodistil/backend"
import { Layout } from "homodistil/optimizer"

/** Numbers of any bits: those that are not numbers, and zeros of either sign, among them. */
const bits = (length: number): fc.Arbitrary<Float32Array> =>
  fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: length, maxLength: length }).map(
    // written as integers: a float that is no number may lose bits on its way
    (values) => new Float32Array(Int32Array.from(values).buffer)
  )
const bitsOf = ({ buffer, byteOffset, length }: Float32Array | Int32Array): Int32Array =>
  new Int32Array(buffer, byteOffset, length)

/** Parameters of ranks 1 and 2, some longer than a cache line, some empty. */
const parameters = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 6 })
  .chain((sizes) =>
    fc.tuple(
      ...sizes.map(([a, b]) => {
        const shape = b === 0 ? [a] : [a, b]
        return bits(Tensor.elements(shape)).map((data): HostTensor => ({ shape, dtype: "float32", data }))
      })
    )
  )
  .map((values) => Object.fromEntries(values.map((value, i) => [`p${i}`, value])))

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

  it("does not depend on the order the parameters are named in", () =>
    fc.assert(
      fc.property(parameters, (tensors) => {
        const params = specs(tensors)
        const turned = Object.fromEntries(Object.entries(params).toReversed())
        const of = (params: Layout.ByName<Tensor.TensorSpec>) =>
          Layout.groups({ params, watches: even, elementwise: both })
        assert.deepStrictEqual(of(turned), of(params))
      })
    ))

  it("lays a group's parameters side by side in their order, each at the beginning of a cache line", () =>
    fc.assert(
      fc.property(parameters, (tensors) => {
        const params = specs(tensors)
        for (const group of Layout.groups({ params, watches: even, elementwise: both })) {
          const { places, length } = Layout.places(group, params)
          assert.deepStrictEqual(
            places.map(({ name, shape }) => [name, shape]),
            group.names.map((name) => [name, params[name]?.shape])
          )
          let end = 0
          for (const { from, shape } of places) {
            assert.strictEqual((4 * from) % 64, 0)
            assert.isTrue(from >= end && from < end + 16)
            end = from + Tensor.elements(shape)
          }
          assert.strictEqual(length, end)
        }
      })
    ))

  it("packs and unpacks without changing a bit, with zeros between", () =>
    fc.assert(
      fc.property(parameters, fc.boolean(), (tensors, flat) => {
        const params = specs(tensors)
        for (const group of Layout.groups({ params, watches: even, elementwise: { watched: flat, unwatched: true } })) {
          const { places, length } = Layout.places(group, params)
          const packed = Layout.pack(group, tensors)
          assert.strictEqual(packed.length, length)
          const back = Layout.unpack(group, { shape: [length], dtype: "float32", data: packed }, params)
          assert.deepStrictEqual(Object.keys(back), group.names)
          for (const name of group.names) {
            assert.deepStrictEqual(back[name]?.shape, tensors[name]?.shape)
            assert.deepStrictEqual(
              bitsOf(back[name]?.data ?? new Float32Array(1)),
              bitsOf(tensors[name]?.data ?? new Float32Array(2))
            )
          }
          const within = (i: number) => places.some(({ from, shape }) => i >= from && i < from + Tensor.elements(shape))
          assert.isTrue(bitsOf(packed).every((x, i) => within(i) || x === 0))
        }
      })
    ))

  it("gives parts of the vector, not copies", () => {
    const params = { a: Tensor.float(2), b: Tensor.float(3) }
    const [group = assert.fail()] = Layout.groups({ params, watches: () => false, elementwise: both })
    const vector = Tensor.host(new Float32Array(19))
    const apart = Layout.unpack(group, vector, params)
    vector.data.set([1, 2], 0)
    vector.data.set([3, 4, 5], 16)
    assert.deepStrictEqual(apart, { a: Tensor.host([1, 2]), b: Tensor.host([3, 4, 5]) })
  })

  it("keeps parameters apart where a rule looks at more than one weight", () => {
    const params = { a: Tensor.float(2, 3), b: Tensor.float(3) }
    const apart = Layout.groups({ params, watches: () => true, elementwise: { watched: false, unwatched: true } })
    assert.deepStrictEqual(
      apart.map(({ id, flat }) => [id, flat]),
      [
        ["a", false],
        ["b", false]
      ]
    )
    assert.deepStrictEqual(Layout.places(apart[0] ?? assert.fail(), params), {
      places: [{ name: "a", from: 0, shape: [2, 3] }],
      length: 6
    })
  })

  it("does not take values that lack a parameter", () => {
    const params = { a: Tensor.float(2), b: Tensor.float(2) }
    const [group = assert.fail()] = Layout.groups({ params, watches: () => false, elementwise: both })
    assert.throws(() => Layout.pack(group, { a: Tensor.host([1, 2]) }), /there is no b/)
  })
})
