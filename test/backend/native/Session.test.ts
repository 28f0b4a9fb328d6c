import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type HostArray, type HostTensor, Tensor } from "homodistil/backend"
import * as Native from "../../../src/backend/native/Session.ts"
import * as Graph from "../../../src/backend/onnx/Graph.ts"

type Specs = { readonly [name: string]: Tensor.TensorSpec }

/** A session over a graph that is made by naming values. */
const open = (
  inputs: Specs,
  outputs: Specs,
  build: (graph: Graph.Graph) => { readonly [name: string]: string },
  options: Native.SessionOptions = { threads: 1 }
) => {
  const graph = Graph.make()
  const values = build(graph)
  const ports = (specs: Specs, value: (name: string) => string) =>
    Object.entries(specs).map(([name, spec]) => ({ value: value(name), name, spec }))
  const model = graph.encode(
    ports(inputs, (name) => name),
    ports(outputs, (name) => values[name] ?? name)
  )
  return Native.open(model, Object.keys(inputs), Object.keys(outputs), options)
}

/** Runs a session on host tensors; the native ones are ended afterwards. */
const run = async (
  session: Native.Session,
  given: ReadonlyArray<HostTensor>,
  made: ReadonlyArray<HostTensor>
): Promise<ReadonlyArray<HostArray>> => {
  const [inputs, outputs] = [given, made].map((each) => each.map(({ data, shape }) => Native.value(data, shape)))
  try {
    await session.run(inputs ?? [], outputs ?? [])
    return made.map(({ data }) => data)
  } finally {
    for (const value of [...(inputs ?? []), ...(outputs ?? [])]) Native.releaseValue(value)
  }
}

const zeros = (...shape: ReadonlyArray<number>): HostTensor =>
  Tensor.host(new Float32Array(Tensor.elements(shape)), shape)
const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => assert.fail("it did not fail"), String)

/** Multiplies a square matrix by itself. */
const square = (size: number, options: Native.SessionOptions) =>
  open(
    { x: Tensor.float(size, size) },
    { y: Tensor.float(size, size) },
    (g) => ({ y: g.node("MatMul", ["x", "x"]) }),
    options
  )

describe("a native session", () => {
  it("reads inputs and writes outputs in the order of their names", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 3, maxLength: 3 }),
        fc.boolean(),
        async (values, turned) => {
          const names = (all: Specs): Specs => (turned ? Object.fromEntries(Object.entries(all).toReversed()) : all)
          const [a, b] = [Tensor.float(3), Tensor.float(3)]
          const session = await open(names({ a, b }), names({ difference: a, sum: b }), (g) => ({
            difference: g.node("Sub", ["a", "b"]),
            sum: g.node("Add", ["a", "b"])
          }))
          const [x, y] = [Tensor.host(values), Tensor.host([1, 2, 3])]
          const made = await run(session, turned ? [y, x] : [x, y], [zeros(3), zeros(3)])
          session.release()
          const [difference, sum] = turned ? made.toReversed() : made
          assert.deepStrictEqual(
            Array.from(difference ?? []),
            values.map((v, i) => v - i - 1)
          )
          assert.deepStrictEqual(
            Array.from(sum ?? []),
            values.map((v, i) => v + i + 1)
          )
        }
      ),
      { numRuns: 10 }
    ))

  it("takes whole numbers, numbers without a shape, and nothing at all", async () => {
    const whole = await open({ x: Tensor.int(2) }, { y: Tensor.int(2) }, (g) => ({ y: g.node("Neg", ["x"]) }))
    const [negative] = await run(whole, [Tensor.host([1, -7], [2], "int32")], [Tensor.host([0, 0], [2], "int32")])
    assert.deepStrictEqual(negative, Int32Array.of(-1, 7))
    const single = await open({ x: Tensor.float() }, { y: Tensor.float() }, (g) => ({ y: g.node("Abs", ["x"]) }))
    assert.deepStrictEqual(await run(single, [Tensor.scalar(-3)], [Tensor.scalar(0)]), [Float32Array.of(3)])
    const constant = await open({}, { y: Tensor.float(2) }, (g) => ({
      y: g.node("Identity", [g.constant([4, 5], [2], "float32")])
    }))
    assert.deepStrictEqual(await run(constant, [], [zeros(2)]), [Float32Array.of(4, 5)])
    for (const session of [whole, single, constant]) session.release()
  })

  it("that cannot be opened says what ONNX Runtime says", async () => {
    const options = { threads: 1 }
    assert.match(await failure(Native.open(Uint8Array.of(1, 2, 3), [], [], options)), /protobuf parsing failed/)
    const y = Tensor.float(2)
    assert.match(await failure(open({ x: y }, { y }, (g) => ({ y: g.node("Bogus", ["x"]) }))), /Bogus/)
    const cyclic = open({ x: y }, { y }, (g) => ({ y: g.node("Add", ["x", "nowhere"]) }))
    assert.match(await failure(cyclic), /nowhere/)
  })

  it("whose run fails says why, and runs again", async () => {
    const session = await square(2, { threads: 1 })
    const x = Tensor.host([1, 2, 3, 4], [2, 2])
    assert.match(await failure(run(session, [zeros(2, 3)], [zeros(2, 2)])), /invalid dimensions for input: x/)
    assert.match(await failure(run(session, [x], [zeros(3, 3)])), /invalid dimensions for output: y/)
    assert.match(await failure(run(session, [Tensor.host([1, 2, 3, 4], [2, 2], "int32")], [zeros(2, 2)])), /data type/)
    assert.deepStrictEqual(await run(session, [x], [zeros(2, 2)]), [Float32Array.of(7, 10, 15, 22)])
    session.release()
  })

  it.each([[1], [2], [3]])("gives the right numbers when several run at once, on %d threads", async (threads) => {
    // whole numbers, so that the order of additions cannot matter; large enough for a product to be shared
    const size = 96
    const sessions = await Promise.all(Array.from({ length: 6 }, () => square(size, { threads })))
    const runs = sessions.flatMap((session, i) =>
      Array.from({ length: 20 }, async (_, j) => {
        const x = Tensor.host(
          Float32Array.from({ length: size * size }, (_, k) => ((k * (i + 3) + j) % 7) - 3),
          [size, size]
        )
        const [y = assert.fail()] = await run(session, [x], [zeros(size, size)])
        for (const [row, column] of [
          [0, 0],
          [j, i],
          [size - 1, size - 2]
        ] as const) {
          let sum = 0
          for (let k = 0; k < size; k++) sum += (x.data[row * size + k] ?? 0) * (x.data[k * size + column] ?? 0)
          assert.strictEqual(y[row * size + column], sum)
        }
      })
    )
    await Promise.all(runs)
    for (const session of sessions) session.release()
  })

  it("may be run more often at once than calls can be under way", async () => {
    const session = await square(2, { threads: 1 })
    const made = await Promise.all(
      Array.from({ length: 300 }, (_, i) => run(session, [Tensor.host([i, 0, 0, 1], [2, 2])], [zeros(2, 2)]))
    )
    assert.deepStrictEqual(
      made.map(([y]) => y?.[0]),
      made.map((_, i) => i * i)
    )
    session.release()
  })

  it("writes the time of its kernels where that is asked for: one file each session", async () => {
    const folder = mkdtempSync(join(tmpdir(), "homodistil-profile-"))
    try {
      const options = { threads: 1, profile: join(folder, "trace") }
      const sessions = await Promise.all([square(4, options), square(4, options), square(4, options)])
      for (const session of sessions) {
        await run(session, [zeros(4, 4)], [zeros(4, 4)])
        session.release()
      }
      const files = readdirSync(folder)
      assert.lengthOf(files, 3)
      for (const file of files) {
        assert.match(file, /^trace.*\.json$/)
        const events: unknown = JSON.parse(readFileSync(join(folder, file), "utf8"))
        const kernels = Array.isArray(events)
          ? events.filter((event: unknown) => JSON.stringify(event).includes("MatMul"))
          : []
        assert.isAbove(kernels.length, 0)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it("keeps no memory of its runs", async () => {
    const size = 256
    const session = await open({ x: Tensor.float(size, size) }, { y: Tensor.float(size, size) }, (g) => {
      let y = "x"
      for (let i = 0; i < 50; i++) y = g.node("Tanh", [y])
      return { y }
    })
    const [x, y] = [zeros(size, size), zeros(size, size)]
    const repeat = async (times: number) => {
      for (let i = 0; i < times; i++) await run(session, [x], [y])
      return process.memoryUsage().rss
    }
    const before = await repeat(50)
    // a single tensor kept from each run would come to 100 MB
    assert.isBelow((await repeat(400)) - before, 50 * 2 ** 20)
    session.release()
  })
})
