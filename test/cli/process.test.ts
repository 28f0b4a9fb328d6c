import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import manifest from "../../package.json" with { type: "json" }
import { root } from "./terminal.ts"
import { writeTinyTeacher } from "./tinyTeacher.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-process-"))

/** The command as a user starts it; `whenSaid` stops it with Ctrl-C once standard error has these words. */
const start = (args: ReadonlyArray<string>, whenSaid?: string) =>
  new Promise<{ readonly code: number | null; readonly out: string; readonly error: string }>((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, "bin", "homodistil.js"), ...args], { cwd: root })
    let [out, error, stopped] = ["", "", false]
    child.stdout.on("data", (data) => (out += String(data)))
    child.stderr.on("data", (data) => {
      error += String(data)
      if (whenSaid === undefined || stopped || !error.includes(whenSaid)) return
      stopped = true
      child.kill("SIGINT")
    })
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, out, error }))
  })

beforeAll(() => Effect.runPromise(writeTinyTeacher(join(folder, "teacher")).pipe(Effect.provide(NodeServices.layer))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("bin/homodistil.js", () => {
  it("says its version", async () =>
    assert.deepStrictEqual(await start(["--version"]), {
      code: 0,
      out: `homodistil v${manifest.version}\n`,
      error: ""
    }))

  it("answers a mistake with one line and 1, without a stack trace", async () => {
    const { code, out, error } = await start(["distill", "--out", join(folder, "x"), "--ratio", "2"])
    assert.deepStrictEqual([code, out], [1, ""])
    assert.strictEqual(error, "--ratio = 2: must be a value between 0 (excluded) and 1; use for example --ratio 0.25\n")
    assert.isFalse(existsSync(join(folder, "x")))
  })

  it("starts processes that run cells by itself, never by hand", async () => {
    const { code, error } = await start(["work", "table6"])
    assert.strictEqual(code, 1)
    assert.strictEqual(error, "work = a command: must be started by reproduce; use homodistil reproduce with --jobs\n")
  })

  it("stops at Ctrl-C with 130, and leaves nothing half-written", async () => {
    const out = join(folder, "student")
    const { code, error } = await start(
      ["distill", "--out", out, "--teacher", join(folder, "teacher"), "--steps", "100000"],
      "0/100000"
    )
    assert.strictEqual(code, 130, error)
    assert.match(error, /stopped; what was finished before is kept\n$/)
    assert.isFalse(existsSync(out))
  })
})
