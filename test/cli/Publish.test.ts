import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command, root } from "./terminal.ts"
import { writeTinyTeacher } from "./tinyTeacher.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-publish-"))
const at = (...path: ReadonlyArray<string>): string => join(folder, ...path)
const read = (...path: ReadonlyArray<string>): string => readFileSync(at(...path), "utf8")

beforeAll(() => Effect.runPromise(writeTinyTeacher(at("teacher")).pipe(Effect.provide(NodeServices.layer))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const own = join(root, "test", "cli", "tinyExperiment.ts")
const reproduce = (...args: ReadonlyArray<string>) =>
  command([
    "reproduce",
    ...args,
    "--scale",
    "smoke",
    "--jobs",
    "1",
    "--quiet",
    "--teacher",
    at("teacher"),
    "--store",
    at("runs")
  ])

describe("what is published", () => {
  it("is a folder for each exhibit and one page of all, which links to the cells", async () => {
    const { code, out, error } = await reproduce("all", "--only", "table1,table2", "--out", at("all"))
    assert.strictEqual(code, 0, error)
    assert.deepStrictEqual(readdirSync(at("all")).toSorted(), ["index.html", "table1", "table2"])
    const page = read("all", "index.html")
    for (const title of ["Table 1", "Table 2"]) assert.include(page, title)
    assert.notMatch(page, /<(script|link|img)|src=|url\(http/)
    assert.include(out, "Table 1")
    assert.match(out, /Written in/)
  })

  it("links every value to its cell, in files that lie where the links lead", async () => {
    const { code, error } = await reproduce(own, "--out", at("tiny"))
    assert.strictEqual(code, 0, error)
    const links = [...read("tiny", "table.md").matchAll(/\]: <([^>]*result\.json)>/g)].map(([, link = ""]) => link)
    assert.isAbove(links.length, 0)
    for (const link of links) assert.include(read("tiny", link), '"measures"')
    for (const [, link = ""] of read("tiny", "index.html").matchAll(/href="([^"#]*result\.json)"/g))
      assert.include(read("tiny", link), '"measures"')
  })

  it("shows a user's published figures in a column of their own, and refuses those that belong nowhere", async () => {
    const file = at("published.json")
    const figures = (row: string) =>
      JSON.stringify({ tiny: { source: "a paper", rows: { [row]: { "curve.final": 1.25 } } } })
    writeFileSync(file, figures("magnitude"))
    const good = await reproduce(own, "--out", at("with"), "--published", file)
    assert.strictEqual(good.code, 0, good.error)
    assert.match(read("with", "table.md"), /published/i)
    assert.include(read("with", "table.md"), "1.25")
    writeFileSync(file, figures("nobody"))
    const bad = await reproduce(own, "--out", at("without"), "--published", file)
    assert.strictEqual(bad.code, 1)
    assert.match(bad.error, /nobody/)
    assert.deepStrictEqual(readdirSync(folder).includes("without"), false)
  })

  it("refuses a name that is not among all", async () => {
    const { code, error } = await reproduce("all", "--only", "table1,table9", "--out", at("none"))
    assert.strictEqual(code, 1)
    assert.match(error, /^--only = table9: must be among table1, table2/)
  })
})
