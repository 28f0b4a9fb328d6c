import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isTold } from "../../src/cli/CellMessage.ts"
import { materials } from "../experiment/toy.ts"
import { command, root } from "./terminal.ts"
import { writeTinyTeacher } from "./tinyTeacher.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-cells-"))
const at = (...path: ReadonlyArray<string>): string => join(folder, ...path)

beforeAll(() => Effect.runPromise(writeTinyTeacher(at("teacher")).pipe(Effect.provide(NodeServices.layer))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const reproduce = (store: string, changes: Parameters<typeof command>[1] = {}, out = "out") =>
  command(
    [
      "reproduce",
      join(root, "test", "cli", "tinyExperiment.ts"),
      ..."--scale smoke --seeds 2 --jobs 2 --threads 1".split(" "),
      ...Object.entries({ teacher: at("teacher"), store: at(store), out: at(store, out) }).flatMap(([flag, path]) => [
        `--${flag}`,
        path
      ])
    ],
    changes
  )

const keys = (store: string): ReadonlyArray<string> => readdirSync(at(store, "cells")).toSorted()

/** What was measured in the kept cells; where and how long they ran is in files of its own. */
const kept = (store: string): ReadonlyArray<string> =>
  keys(store).map((key) => readFileSync(at(store, "cells", key, "result.json"), "utf8"))

/** The program as a checkout starts it, with another entry. */
const program = (module: string) => ({ program: { module, nodeOptions: ["-C", "homodistil-source"] } })

describe("Work in processes of its own", () => {
  it("give the numbers that one process gives, a group of cells each", async () => {
    const [alone, apart] = [await reproduce("alone"), await reproduce("apart", program(join(root, "src", "main.ts")))]
    assert.deepStrictEqual([alone.code, apart.code], [0, 0], apart.error)
    assert.lengthOf(kept("alone"), 4)
    assert.deepStrictEqual(kept("apart"), kept("alone"))
    assert.strictEqual(
      readFileSync(at("apart", "out", "table.md"), "utf8"),
      readFileSync(at("alone", "out", "table.md"), "utf8")
    )
  })

  it("give every cell once when two commands share a store, and both the same table", async () => {
    const main = program(join(root, "src", "main.ts"))
    const commands = await Promise.all(["one", "other"].map((out) => reproduce("shared", main, out)))
    assert.deepStrictEqual(
      commands.map(({ code }) => code),
      [0, 0],
      commands.map(({ error }) => error).join("\n")
    )
    // whoever runs a cell to its end says so in the cell's log
    const logs = keys("shared").map((key) => readFileSync(at("shared", "cells", key, "log.txt"), "utf8"))
    assert.lengthOf(keys("shared"), 4)
    for (const log of logs) assert.lengthOf(log.match(/^.*finished after/gm) ?? [], 1, log)
    const tables = ["one", "other", "out"].map((out) => at(out === "out" ? "alone" : "shared", out, "table.md"))
    const [a, b, alone] = tables.map((file) => readFileSync(file, "utf8"))
    assert.strictEqual(a, b)
    assert.strictEqual(a, alone)
    assert.deepStrictEqual(kept("shared"), kept("alone"))
  })

  it("are missed when they are gone", async () => {
    writeFileSync(at("gone.mjs"), "console.error('no memory'); process.exit(9)")
    const { code, error } = await reproduce("gone", program(at("gone.mjs")))
    assert.strictEqual(code, 1)
    assert.match(
      error,
      /a process that ran cells is gone: it ended with 9\nno memory; with --jobs 1 cells are run in one process/
    )
  })

  it("say what they could not do, and their bugs are bugs", async () => {
    writeFileSync(
      at("refuses.mjs"),
      "process.send({ _tag: 'Failed', message: 'no such cell' }); setInterval(() => {}, 1000)"
    )
    const refused = await reproduce("refused", program(at("refuses.mjs")))
    assert.deepStrictEqual([refused.code, refused.error.trimEnd().split("\n").at(-1)], [1, "no such cell"])
    writeFileSync(at("dies.mjs"), "process.send({ _tag: 'Died', stack: 'RangeError: 1' }); setInterval(() => {}, 1000)")
    const died = await reproduce("died", program(at("dies.mjs")))
    assert.strictEqual(died.code, 70)
    assert.match(died.error, /This is a bug of homodistil.*\nRangeError: 1\n$/)
  })

  it("keep snapshots to themselves: they hold every weight", () => {
    const state = {
      step: 0,
      config: materials.teacher.config,
      kept: { kept: new Map() },
      masked: false,
      train: { params: {}, moments: {}, slots: {} }
    }
    assert.isFalse(isTold({ _tag: "Distilled", event: { _tag: "Snapshot", state, last: false } }))
    assert.isTrue(isTold({ _tag: "Measuring", measure: "loss" }))
  })
})
