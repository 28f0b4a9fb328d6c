import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Arena from "../../../src/backend/sweep/Arena.ts"
import * as Runner from "../../../src/backend/sweep/Runner.ts"
import { bitsOf } from "../../../src/backend/sweep/Program.ts"
import { encode, f32x4, i32, local, overGroups, sequence } from "../../../src/backend/sweep/Wasm.ts"

/** Adds the vector at `job` to itself, and takes its time: the sum is divided by 1 again and again. */
const doubling = encode({
  integers: 1,
  lanes: 2,
  code: sequence(
    sequence(local.get(0), i32.load(0), local.set(3), f32x4.constant(bitsOf(1)), local.set(5)),
    overGroups(
      1,
      2,
      sequence(
        sequence(local.get(3), local.get(1), i32.add, local.get(3), local.get(1), i32.add, f32x4.load),
        sequence(local.tee(4), local.get(4), f32x4.add),
        ...Array.from({ length: 40 }, () => sequence(local.get(5), f32x4.div)),
        f32x4.store
      )
    )
  )
})

describe("a runner", () => {
  it("makes equal modules ready once", () => {
    const runner = Runner.make({ arena: Arena.make(64) })
    assert.strictEqual(runner.load(doubling), runner.load(doubling.slice()))
    assert.notStrictEqual(runner.load(encode({ integers: 0, lanes: 0, code: [] })), runner.load(doubling))
  })

  it.each([1, 2, 3])("works on every block once: %d threads", async (threads) => {
    const arena = Arena.make(1024)
    const runner = Runner.make({ arena, threads })
    const loaded = runner.load(doubling)
    const vector = arena.allocate(600_000, "float32")
    for (let run = 0; run < 5000 && (run < 20 || runner.helped() < threads - 1); run++) {
      vector.fill(1)
      runner.job[0] = vector.byteOffset
      runner.run(loaded, 4 * 599_996)
      // the last block is looked at first: nobody may still be at work
      assert.strictEqual(vector[599_995], 2)
      assert.isTrue(vector.every((value, i) => value === (i < 599_996 ? 2 : 1)))
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    assert.strictEqual(runner.helped() > 0, threads > 1)
    await runner.close()
    arena.free(vector)
    assert.strictEqual(arena.used(), 0)
  })

  it("keeps short vectors to the calling thread", async () => {
    const runner = Runner.make({ arena: Arena.make(64), threads: 2 })
    const vector = runner.arena.allocate(1000, "float32")
    runner.job[0] = vector.byteOffset
    for (let run = 0; run < 100; run++) runner.run(runner.load(doubling), 4000)
    assert.strictEqual(runner.helped(), 0)
    await runner.close()
  })

  it("does not keep its process alive", async () => {
    const file = new URL("../../../src/backend/sweep/Runner.ts", import.meta.url)
    const text = `import { make } from ${JSON.stringify(file.href)}
      const runner = make({ threads: 2 })
      const loaded = runner.load(Uint8Array.from(${JSON.stringify([...doubling])}))
      const vector = runner.arena.allocate(600000, "float32")
      runner.job[0] = vector.byteOffset
      for (let run = 0; run < 5000 && runner.helped() === 0; run++) {
        runner.run(loaded, 2400000)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      console.log(runner.helped() > 0)`
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", text])
    assert.strictEqual(stdout.trim(), "true")
  })

  it("needs memory", () => assert.throws(() => Runner.make({ arena: Arena.make(1) }), /no memory is left/))
})
