import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { Digest } from "homodistil/spec"
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as CellFolder from "../../src/experiment/store/CellFolder.ts"
import * as Checked from "../../src/experiment/store/Checked.ts"
import * as Result from "../../src/experiment/store/Result.ts"
import * as Stamp from "../../src/experiment/store/Stamp.ts"
import * as Worker from "../../src/experiment/store/Worker.ts"
import { cells } from "./runStoreSuite.ts"
import { inFolder } from "./store/disks.ts"

const run = <A, E>(effect: Effect.Effect<A, E, NodeServices.NodeServices>): Promise<A> =>
  Effect.runPromise(Effect.provide(effect, NodeServices.layer))

describe("CellFolder", () => {
  it("keeps every object of a cell in one folder, named by the key", () => {
    const { folder, key, ...objects } = CellFolder.of("runs", "abc")
    assert.deepStrictEqual([folder, key], ["runs/cells/abc", "abc"])
    assert.deepStrictEqual(
      Object.values(objects).map((file) => file.replace("runs/cells/abc/", "")),
      ["result.json", "provenance.json", "metrics.ndjson", "log.txt", "checkpoints"]
    )
  })
})

describe("Checked", () => {
  const pairs = Checked.of(Schema.Struct({ b: Schema.Finite, a: Schema.String }))

  it("is canonical JSON with the digest of its value", () =>
    run(
      Effect.gen(function* () {
        const text = `{"digest":"${Digest.ofBytes('{"a":"x","b":1}')}","value":{"a":"x","b":1}}\n`
        assert.strictEqual(new TextDecoder().decode(yield* pairs.encode({ b: 1, a: "x" })), text)
      })
    ))

  it("takes nothing that was not written, though it says the same", () =>
    run(
      Effect.gen(function* () {
        const bytes = yield* pairs.encode({ a: "\uFFFD", b: 0.1 })
        assert.deepStrictEqual(yield* pairs.decode(bytes), { a: "\uFFFD", b: 0.1 })
        const text = new TextDecoder().decode(bytes)
        const others = [
          text.trim(),
          ` ${text}`,
          text.replace("0.1", "0.10"),
          text.replace('"a"', '"c":0,"a"'),
          text.replace("0.1", "0.2")
        ]
        const broken = [...others.map((other) => new TextEncoder().encode(other)), new Uint8Array()]
        // half a character reads as the one that stands for what cannot be read
        const at = bytes.indexOf(0xef)
        broken.push(Uint8Array.from([...bytes.subarray(0, at), 0xff, ...bytes.subarray(at + 3)]))
        for (const each of broken) assert.isString(yield* Effect.flip(pairs.decode(each)))
      })
    ))
})

describe("Result", () => {
  it("has bytes that do not depend on where a cell was computed", () =>
    fc.assert(
      fc.asyncProperty(cells, cells, ({ provenance, ...measured }, other) =>
        run(
          Effect.gen(function* () {
            const metrics = { bytes: 0, sha256: Digest.ofBytes("") }
            const bytes = yield* Result.result.encode({ measured, metrics })
            assert.deepStrictEqual(yield* Result.result.decode(bytes), { measured, metrics })
            const from = [provenance, other.provenance].map((each) =>
              Result.provenance.encode({ key: measured.key, provenance: each })
            )
            const [a, b] = yield* Effect.all(from)
            assert.deepStrictEqual(yield* Result.provenance.decode(a ?? bytes), { key: measured.key, provenance })
            assert.strictEqual(
              Buffer.compare(a ?? bytes, b ?? bytes) === 0,
              JSON.stringify(provenance) === JSON.stringify(other.provenance)
            )
          })
        )
      ),
      { numRuns: 50 }
    ))
})

describe("Stamp", () => {
  it("changes with the file's size and time", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        assert.isUndefined(Stamp.of(folder))
        yield* fs.writeFileString(folder, "four")
        yield* fs.utimes(folder, 5, 5)
        assert.deepStrictEqual(Stamp.of(folder), { bytes: 4, time: 5000 })
        assert.isUndefined(Stamp.of(`${folder}/inside`))
      })
    ))
})

describe("Worker", () => {
  it("lives until its process ends, or another one has its number", () =>
    run(
      Effect.gen(function* () {
        const here = yield* Worker.here
        assert.strictEqual(here.pid, process.pid)
        assert.isTrue(Worker.areNear(here, { ...here, pid: 1 }))
        assert.isFalse(Worker.areNear(here, { ...here, boot: "another" }))
        assert.isFalse(Worker.areNear(here, { ...here, host: "another" }))
        assert.isTrue(yield* Worker.lives(here))
        if (here.started !== "") assert.isFalse(yield* Worker.lives({ ...here, started: "1" }))

        const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"])
        yield* Effect.promise(() => once(child, "spawn"))
        const other = { ...here, pid: child.pid ?? 0, started: "" }
        assert.isTrue(yield* Worker.lives(other))
        const closed = once(child, "close")
        child.kill("SIGKILL")
        yield* Effect.promise(() => closed)
        assert.isFalse(yield* Worker.lives(other))
      })
    ))
})
