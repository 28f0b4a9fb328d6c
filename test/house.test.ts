import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Rules from "./house/rules.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const left = new Set(["node_modules", "dist", "runs", "models", "coverage", ".git", ".cache", ".venv", "__pycache__"])
const isText = /(\.(ts|js|json|md|yml|nix|csv|py|sh|toml|svg|txt)|\/run|LICENSE|\.gitignore|\.npmrc)$/

const read = (folder: string): ReadonlyArray<Rules.File> =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) return left.has(entry.name) ? [] : read(path)
    return entry.isFile() && isText.test(path) ? [{ path, text: readFileSync(join(root, path), "utf8") }] : []
  })

const file = (path: string, text: string): Rules.File => ({ path, text })
// apart, so that this file keeps the rule about paths
const slash = "/"
const documented = "/** A thing. */\nexport const x = 1\n"

/** For each rule: projects that break it, with what the message must say, and one that keeps it. */
const cases: Record<
  Exclude<keyof typeof Rules, "levels" | "code">,
  { readonly bad: ReadonlyArray<readonly [Rules.File, RegExp]>; readonly good: ReadonlyArray<Rules.File> }
> = {
  importsGoDown: {
    bad: [
      [file("src/importance/a.ts", 'import { x } from "../pruning/index.ts"'), /importance\/ may not import pruning\//],
      [file("src/model/a.ts", 'export * from "../distill/index.ts"'), /model\/ may not import distill\//],
      [file("src/loss/a.ts", 'import { x } from "../spec/Seed.ts"'), /by its index: \.\.\/spec\/index\.ts/],
      [file("src/data/task/a.ts", 'import { x } from "../index.ts"'), /import the file/],
      [file("src/data/a.ts", 'import { x } from "./b"'), /write the ending/],
      [file("src/data/a.ts", 'import { x } from "../main.ts"'), /outside the rooms/],
      [file("src/data/a.ts", 'import { Effect } from "effect"'), /effect\/Effect/],
      [file("src/data/a.ts", 'import { x } from "homodistil/spec"'), /import by path/],
      [file("src/loss/a.ts", 'const tf = await import("@tensorflow/tfjs-core")'), /only backend/],
      [file("src/checkpoint/a.ts", 'import "onnxruntime-node"'), /only backend/],
      [file("src/optimizer/a.ts", 'import * as koffi from "koffi"'), /only backend/],
      [file("src/attic/a.ts", 'import { x } from "./b.ts"'), /attic\/ is no room/]
    ],
    good: [
      file(
        "src/backend/onnx/a.ts",
        'import * as tf from "@tensorflow/tfjs-core"\nimport { Seed } from "../../spec/index.ts"'
      ),
      file(
        "src/loss/a.ts",
        '/** import { x } from "homodistil/loss" */\nimport { Bert } from "../model/index.ts"\nimport * as E from "effect/Effect"'
      ),
      file("src/main.ts", 'import { reproduce } from "./cli/reproduce.ts"')
    ]
  },
  filesAreSmall: {
    bad: [
      [file("src/loss/a.ts", "x\n".repeat(401)), /401 lines, above 400/],
      [file("src/loss/index.ts", "x\n".repeat(31)), /31 lines, above 30/]
    ],
    good: [file("src/loss/a.ts", "x\n".repeat(400)), file("src/loss/index.ts", "x\n".repeat(30))]
  },
  testsMirror: {
    bad: [[file("src/data/task/a.ts", documented), /write test\/data\/task\/a\.test\.ts/]],
    good: [
      file("src/backend/ops/gelu.ts", documented),
      file("test/backend/ops.test.ts", 'describe("gelu")'),
      file("src/loss/a.ts", documented),
      file("test/loss/a.test.ts", ""),
      file("src/importance/platon.ts", documented),
      file("test/laws/scorers.test.ts", "const table = [Scorer.platon()]"),
      file("src/data/Missing.ts", 'export class Missing extends Schema.TaggedError<Missing>()("Missing", {}) {}'),
      file("src/model/Axis.ts", "export interface Axis {}\nexport type Id = string"),
      file("src/model/index.ts", 'export * from "./Axis.ts"')
    ]
  },
  exportsAreDocumented: {
    bad: [
      [file("src/loss/a.ts", "export const x = 1"), /src\/loss\/a\.ts:1: x has no docstring/],
      [file("src/loss/a.ts", `${documented}\nexport type Y = string`), /:4: Y has no/],
      [file("src/loss/a.ts", "// a thing\nexport function f() {}"), /:2: f has no/]
    ],
    good: [file("src/loss/a.ts", `${documented}\n/** Y. */\nexport class Y {}`)]
  },
  namesSay: {
    bad: [
      [file("src/loss/utils.ts", ""), /"utils" says nothing/],
      [file("test/helpers/a.ts", ""), /"helpers" says nothing/]
    ],
    good: [file("src/loss/score.ts", "")]
  },
  nothingHidden: {
    bad: [
      [file("src/data/a.ts", "const x = Math.random()"), /Seed\.child/],
      [file("src/data/a.ts", "const x = new Date()"), /uses Date/],
      [file("src/data/a.ts", "const x = performance.now()"), /uses performance/],
      [file("src/data/a.ts", "const x = process.env.HOME"), /uses process\.env/],
      [file("src/data/a.ts", 'console.log("x")'), /uses console/]
    ],
    good: [
      file("src/data/a.ts", '/* Math.random() */ const text = "console.log(new Date())" // process.env'),
      file("src/cli/a.ts", "console.log(process.env, new Date())")
    ]
  },
  nothingForbidden: {
    bad: [
      [file("src/data/a.ts", "export class Corpus {}"), /class Corpus; classes are for/],
      [file("src/data/a.ts", "class Brown extends Corpus {}"), /class Brown/],
      [file("test/data/a.ts", "// @ts-ignore"), /silences a check/],
      [file("src/data/a.ts", "/* eslint-disable */"), /silences a check/]
    ],
    good: [
      file("src/data/a.ts", 'export class CorpusError extends Schema.TaggedError<CorpusError>()("CorpusError", {}) {}'),
      file("src/data/b.ts", "export class Corpus extends Context.Service<Corpus, {}>()('homodistil/Corpus') {}")
    ]
  },
  noMachine: {
    bad: [
      [file("README.md", `see ${slash}work/main`), /README\.md:1: names a path/],
      [file("a.json", `{"x":"${slash}home/someone/x"}`), /names a path/],
      [file("package-lock.json", '"resolved": "https://example.org/x.tgz"'), /names a registry/]
    ],
    good: [file("README.md", "see ./work/tmp, a/tmp/b, https://example.org/home/x")]
  }
}

const names = Object.keys(cases) as ReadonlyArray<keyof typeof cases>

describe.each(names)("house rule %s", (name) => {
  const rule = Rules[name]

  it("holds in this project", () => {
    const files = read("")
    assert.isAbove(files.length, 20)
    assert.deepStrictEqual([...rule(files)], [])
  })

  it.each(cases[name].bad)("refuses $path: $text", (bad, message) => {
    const problems = rule([bad])
    assert.lengthOf(problems, 1)
    assert.match(problems[0] ?? "", message)
  })

  it("accepts what keeps it", () => {
    assert.deepStrictEqual([...rule(cases[name].good)], [])
  })
})
