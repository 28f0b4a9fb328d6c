import { execFile } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { examplesOf, moduleOf } from "./docExamples/examples.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
// inside the project, where "homodistil/<room>" and node_modules resolve; its own folder for each process
const target = join(root, ".cache", `doc-examples-${process.pid}`)

const examples = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => path.replaceAll("\\", "/"))
  .toSorted()
  .flatMap((path) => examplesOf(path, readFileSync(join(root, "src", path), "utf8")))

const modules = examples.map((example) => {
  const path = join(target, example.module)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, moduleOf(example))
  return { ...example, path }
})
const project = {
  extends: "../../tsconfig.json",
  compilerOptions: { noUnusedLocals: false, typeRoots: ["../../node_modules/@types"] },
  include: [],
  files: examples.map((example) => example.module)
}
writeFileSync(join(target, "tsconfig.json"), JSON.stringify(project))

afterAll(() => rmSync(target, { recursive: true, force: true }))

describe("the examples in docstrings", () => {
  it("are there", () => {
    assert.isAbove(examples.length, 0)
    assert.lengthOf(new Set(examples.map((example) => example.module)), examples.length)
  })

  it("have the right types", async () => {
    const compiler = join(root, "node_modules", "typescript", "bin", "tsc")
    const run = promisify(execFile)(process.execPath, [compiler, "-p", target, "--pretty", "false"], { cwd: target })
    const output = await run.then(
      () => "",
      (error: { readonly stdout: string; readonly message: string }) => error.stdout || error.message
    )
    // what is wrong in the sources themselves is for the types check to say
    const problems = output.split("\n").filter((line) => /^\w.*\(\d+,\d+\): error/.test(line))
    assert.deepStrictEqual(
      problems.map((line) => `src/${line}`),
      []
    )
  })

  it.each(modules)("src/$source:$line $symbol", async ({ path }) => {
    await import(/* @vite-ignore */ path)
  })
})

describe("finding examples", () => {
  const source = [
    "/**",
    " * Adds.",
    " *",
    " * @example",
    " * ```ts",
    " * assert.equal(add(1, 1), 3)",
    " * ```",
    " */",
    "export const add = (a: number, b: number): number => a + b",
    "/** No example. */",
    "export const x = 1"
  ].join("\n")

  it("keeps symbol, line and text", () => {
    const found = examplesOf("spec/add.ts", source)
    assert.deepStrictEqual(found, [
      { source: "spec/add.ts", symbol: "add", line: 6, text: "assert.equal(add(1, 1), 3)", module: "spec/add.add.6.ts" }
    ])
  })

  it("puts the example on its own line, so that an error names the line of the source", () => {
    const [example] = examplesOf("spec/add.ts", source)
    assert.isDefined(example)
    assert.match(moduleOf(example).split("\n")[5] ?? "", /add\(1, 1\)/)
  })

  it("refuses an example whose fence is not ts, as it would never run", () => {
    assert.throws(() => examplesOf("spec/add.ts", source.replace("```ts", "```")), /spec\/add\.ts:4: .*```ts/)
  })
})
