import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Tensor } from "homodistil/backend"
import { Seed } from "homodistil/spec"
import * as Native from "../../../src/backend/native/Session.ts"
import * as Graph from "../../../src/backend/onnx/Graph.ts"

const size = 3
const spec = Tensor.float(size, size)
const names = ["x", "y", "z"]
const inputs = names.map((name): Graph.Port => ({ value: name, name, spec }))

/** A graph with the outputs that `build` names. */
const recorded = (build: (graph: Graph.Graph) => ReadonlyArray<string>) => {
  const graph = Graph.make()
  const outputs = build(graph).map((value, i): Graph.Port => ({ value, name: `out${i}`, spec }))
  return { graph, outputs, kept: graph.simplified(inputs, outputs) }
}

/** The operators that remain. */
const operators = (build: (graph: Graph.Graph) => ReadonlyArray<string>) => {
  const { graph, kept } = recorded(build)
  return Object.fromEntries(graph.census(kept))
}

const shape = [size, size]
const op = (graph: Graph.Graph, name: string, ...given: ReadonlyArray<string>) => graph.node(name, given, {}, "", shape)
const product = (graph: Graph.Graph, a: string, b: string) => graph.node("Gemm", [a, b], {}, "", shape)
const number = (graph: Graph.Graph, value: number) => graph.constant([value], [], "float32")
const zeros = (graph: Graph.Graph) => {
  const sizes = graph.constant(shape, [2], "int64")
  return graph.node("Expand", [number(graph, 0), sizes], {}, "", shape)
}
const scatter = (graph: Graph.Graph, onto: string, rows: string) =>
  graph.node(
    "ScatterElements",
    [onto, graph.constant([0, 1, 2, 0, 1, 2, 0, 1, 2], shape, "int32"), rows],
    { axis: { int: 0 }, reduction: { string: "add" } },
    "",
    shape
  )

describe("a simplified graph", () => {
  it("lacks what no output needs", () =>
    assert.deepStrictEqual(
      operators((g) => {
        op(g, "Exp", op(g, "Sqrt", "x"))
        return [op(g, "Neg", "x")]
      }),
      { Neg: 1 }
    ))

  it("calculates everything once, and gives each output its own name", () => {
    assert.deepStrictEqual(
      operators((g) => {
        const twice = () => op(g, "Add", op(g, "Abs", "x"), "y")
        return [op(g, "Mul", twice(), twice())]
      }),
      { Abs: 1, Add: 1, Mul: 1 }
    )
    // other inputs or attributes are another calculation
    const others = (axis: number) => (g: Graph.Graph) => {
      const sum = (at: number) => g.node("Softmax", ["x"], { axis: { int: at } }, "", shape)
      return [op(g, "Sub", sum(0), sum(axis))]
    }
    assert.deepStrictEqual(operators(others(0)), { Softmax: 1, Sub: 1 })
    assert.deepStrictEqual(operators(others(1)), { Softmax: 2, Sub: 1 })
    assert.deepStrictEqual(
      operators((g) => [op(g, "Abs", "x"), op(g, "Abs", "x")]),
      { Abs: 2 }
    )
  })

  it("has factors inside its products, where nothing else needs what was multiplied", () => {
    const scaled = (g: Graph.Graph) => op(g, "Mul", "x", number(g, 0.5))
    assert.deepStrictEqual(
      operators((g) => [product(g, scaled(g), "y")]),
      { Gemm: 1 }
    )
    assert.deepStrictEqual(
      operators((g) => [product(g, scaled(g), "y"), scaled(g)]),
      { Gemm: 1, Mul: 1 }
    )
    const { kept } = recorded((g) => [product(g, scaled(g), op(g, "Mul", number(g, 3), "y"))])
    assert.deepStrictEqual(
      kept.map((node) => [node.op, node.inputs, node.attributes["alpha"]]),
      [["Gemm", ["x", "y"], { float: 1.5 }]]
    )
    // a square of it would need the factor twice
    assert.strictEqual(
      operators((g) => {
        const s = scaled(g)
        return [product(g, s, s)]
      })["Gemm"],
      1
    )
  })

  it("adds within its products and its scattered sums, each at most once", () => {
    assert.deepStrictEqual(
      operators((g) => [op(g, "Add", product(g, "x", "y"), "z")]),
      { Gemm: 1 }
    )
    assert.deepStrictEqual(
      operators((g) => [op(g, "Add", "z", product(g, "x", "y"))]),
      { Gemm: 1 }
    )
    assert.deepStrictEqual(
      operators((g) => [op(g, "Sub", product(g, "x", "y"), "z")]),
      { Gemm: 1 }
    )
    assert.deepStrictEqual(
      operators((g) => [op(g, "Sub", "z", product(g, "x", "y"))]),
      { Gemm: 1, Sub: 1 }
    )
    assert.deepStrictEqual(
      operators((g) => [op(g, "Add", product(g, "x", "y"), product(g, "y", "z"))]),
      { Gemm: 2 }
    )
    assert.deepStrictEqual(
      operators((g) => {
        const shared = product(g, "x", "y")
        return [op(g, "Add", shared, "z"), shared]
      }),
      { Add: 1, Gemm: 1 }
    )
    assert.deepStrictEqual(
      operators((g) => [op(g, "Add", "z", scatter(g, zeros(g), "x"))]),
      { ScatterElements: 1 }
    )
    const onto = operators((g) => [op(g, "Add", "z", scatter(g, "y", "x"))])
    assert.deepStrictEqual(onto, { Add: 1, ScatterElements: 1 })
  })

  it("adds to a tensor before single entries of it change, unless they are overwritten or read elsewhere", () => {
    const order = (build: (graph: Graph.Graph) => ReadonlyArray<string>) => recorded(build).kept.map((node) => node.op)
    const entries = (g: Graph.Graph, reduction: string) =>
      g.node(
        "ScatterElements",
        [op(g, "Exp", "x"), g.constant([0, 1, 2], [size, 1], "int32"), g.constant([4, 5, 6], [size, 1], "float32")],
        { axis: { int: 1 }, reduction: { string: reduction } },
        "",
        shape
      )
    const changed = ["Exp", "ScatterElements", "Add"]
    assert.deepStrictEqual(
      order((g) => [op(g, "Add", entries(g, "add"), "y")]),
      ["Exp", "Add", "ScatterElements"]
    )
    assert.deepStrictEqual(
      order((g) => [op(g, "Add", "y", entries(g, "add"))]),
      ["Exp", "Add", "ScatterElements"]
    )
    assert.deepStrictEqual(
      order((g) => [op(g, "Add", entries(g, "none"), "y")]),
      changed
    )
    const twice = order((g) => {
      const found = entries(g, "add")
      return [op(g, "Add", found, "y"), found]
    })
    assert.deepStrictEqual(twice, changed)
  })

  it("calculates what the whole one does", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(9), fc.nat(), fc.nat(), fc.boolean()), { minLength: 1, maxLength: 14 }),
        fc.nat(),
        async (steps, seed) => {
          const values = names.map((name) => Seed.normals(Seed.child(Seed.make(seed), name), size * size))
          // the same calculation in plain loops, beside the graph
          const plain = new Map<string, ReadonlyArray<number>>(
            names.map((name, i) => [name, Array.from(values[i] ?? [])])
          )
          const get = (name: string): ReadonlyArray<number> => plain.get(name) ?? []
          const times = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) =>
            a.map((_, i) =>
              [0, 1, 2].reduce((sum, k) => sum + (a[i - (i % size) + k] ?? 0) * (b[k * size + (i % size)] ?? 0), 0)
            )
          const known = [...names]
          const asked: Array<string> = []
          const { graph, outputs } = recorded((g) => {
            for (const [what, m, n, output] of steps) {
              const [a = "", b = ""] = [known[m % known.length], known[n % known.length]]
              const both = (f: (x: number, y: number) => number) => get(a).map((x, i) => f(x, get(b)[i] ?? 0))
              const factor = 0.25 * ((n % 5) - 2)
              const [name, numbers] =
                what < 3
                  ? [product(g, a, b), times(get(a), get(b))]
                  : what < 5
                    ? [op(g, "Add", a, b), both((x, y) => x + y)]
                    : what < 7
                      ? [op(g, "Sub", a, b), both((x, y) => x - y)]
                      : what < 9
                        ? [op(g, "Mul", a, number(g, factor)), get(a).map((x) => factor * x)]
                        : [
                            scatter(g, zeros(g), a),
                            // index i of the flat tensor goes to row i % 3 of its column
                            get(a).map((_, i) =>
                              get(a).reduce(
                                (sum, x, j) =>
                                  sum + (j % size === Math.floor(i / size) && j % size === i % size ? x : 0),
                                0
                              )
                            )
                          ]
              plain.set(name, numbers)
              known.push(name)
              if (output) asked.push(name)
            }
            if (asked.length === 0) asked.push(known.at(-1) ?? "")
            return asked
          })
          const session = await Native.open(
            graph.encode(inputs, outputs),
            names,
            outputs.map(({ name }) => name),
            { threads: 1 }
          )
          const made = outputs.map(() => new Float32Array(size * size))
          await session.run(
            values.map((data) => Native.value(Float32Array.from(data), shape)),
            made.map((data) => Native.value(data, shape))
          )
          session.release()
          asked.forEach((name, i) => {
            const largest = Math.max(1, ...[...plain.values()].flat().map(Math.abs))
            get(name).forEach((v, j) => assert.closeTo(made[i]?.[j] ?? Number.NaN, v, 1e-4 * largest))
          })
        }
      ),
      { numRuns: 60 }
    ))
})
