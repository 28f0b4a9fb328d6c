import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TraceRun } from "homodistil/experiment"
import { command } from "./terminal.ts"
import { writeTinyTeacher } from "./tinyTeacher.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-trace-"))
const at = (name: string): string => join(folder, name)

beforeAll(() => Effect.runPromise(writeTinyTeacher(at("teacher")).pipe(Effect.provide(NodeServices.layer))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const trace = (...args: ReadonlyArray<string>) => command(["trace-run", "--teacher", at("teacher"), ...args])

describe("TraceRun: homodistil trace-run", () => {
  it("writes the files of a trace", async () => {
    const { code, error } = await trace(
      "--out",
      at("trace"),
      "--steps",
      "6",
      "--window",
      "2",
      "--prune-every",
      "2",
      "--batch",
      "2"
    )
    assert.deepStrictEqual([code, error], [0, ""])
    assert.deepStrictEqual(readdirSync(at("trace")).sort(), [...TraceRun.fileNames].sort())
  })

  it("refuses single weights, of which a trace tells nothing", async () => {
    const { code, error } = await trace("--out", at("none"), "--mode", "unstructured")
    assert.strictEqual(code, 1)
    assert.match(error, /^--mode = unstructured: must be one that prunes units, .*; use for example --mode hard/)
    assert.isFalse(existsSync(at("none")))
  })

  it("says every mistake at once and writes nothing", async () => {
    const { code, error } = await trace("--out", at("none"), "--text", "poem", "--steps", "0", "--threads", "0")
    assert.strictEqual(code, 1)
    assert.match(error, /--text = poem: must be one of corpus, padded, repeated/)
    assert.match(error, /--steps = 0/)
    assert.match(error, /--threads = 0/)
    assert.isFalse(existsSync(at("none")))
  })
})
