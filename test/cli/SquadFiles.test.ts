import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as ReproduceSettings from "../../src/cli/ReproduceSettings.ts"
import { asked } from "./asked.ts"
import { command, root } from "./terminal.ts"
import { writeTinyTeacher } from "./tinyTeacher.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-squad-"))
const at = (...path: ReadonlyArray<string>): string => join(folder, ...path)
const fixture = (name: string): string => join(root, "test", "data", "fixtures", name)
const articles = fixture("squad-articles.json")

beforeAll(() => Effect.runPromise(writeTinyTeacher(at("teacher")).pipe(Effect.provide(NodeServices.layer))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const spans = join(root, "test", "cli", "spanExperiment.ts")
const reproduce = (experiment: string, ...args: ReadonlyArray<string>) =>
  command(
    ["reproduce", experiment, ...args].concat([
      "--scale",
      "smoke",
      "--jobs",
      "1",
      "--quiet",
      "--store",
      at("runs"),
      "--teacher",
      at("teacher")
    ])
  )

/** The keys that a dry run lists. */
const keys = async (...args: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const { code, out, error } = await reproduce(spans, "--dry-run", ...args)
  assert.strictEqual(code, 0, error)
  return [...out.matchAll(/^ {2}([0-9a-f]{12}) /gm)].map(([, key = ""]) => key)
}

/** A file of so many articles of one question each. */
const write = (name: string, count: number, qa: object = {}): string => {
  const data = Array.from({ length: count }, (_, i) => ({
    title: `t${i}`,
    paragraphs: [
      {
        context: "By Ada Byron",
        qas: [{ id: String(i), question: "Who?", answers: [{ text: "Ada", answer_start: 3 }], ...qa }]
      }
    ]
  }))
  writeFileSync(at(name), JSON.stringify({ data }))
  return at(name)
}

describe("--squad", () => {
  it("measures SQuAD in the place of Brown's spans, to a table that names the file, the columns and the command", async () => {
    const { code, out, error } = await reproduce(spans, "--squad", articles, "--out", at("out"))
    assert.strictEqual(code, 0, error)
    const table = readFileSync(at("out", "table.md"), "utf8")
    assert.match(table, /\| SQuAD, exact match \(%\) ↑ \| +SQuAD, F1 \(%\) ↑ \|/)
    assert.match(table, /SQuAD 1\.1: the articles of file [0-9a-f]{12} split 80\/10\/10; learned from 15 of 15/)
    assert.notInclude(table, "noun phrase")
    for (const page of [table, readFileSync(at("out", "index.html"), "utf8")])
      assert.include(page, `--squad ${articles}`)
    assert.include(out, "SQuAD, F1")
    const Written = Schema.Struct({
      columns: Schema.Array(Schema.Struct({ id: Schema.String })),
      rows: Schema.Array(Schema.Struct({ cells: Schema.Record(Schema.String, Schema.Struct({ mean: Schema.Finite })) }))
    })
    const { columns, rows } = Schema.decodeSync(Schema.fromJsonString(Written))(
      readFileSync(at("out", "table.json"), "utf8")
    )
    const ids = columns.map(({ id }) => id)
    assert.deepStrictEqual(ids, ["squad.exact", "squad.f1"])
    for (const { cells } of rows)
      for (const id of ids) {
        const { mean = -1 } = cells[id] ?? {}
        assert.isTrue(mean >= 0 && mean <= 100)
      }
    assert.lengthOf(readdirSync(at("runs", "cells")), rows.length)
  })

  it("gives cells of their own to every file and pair of files, whatever they are called, and leaves the others theirs", async () => {
    const copy = at("copy.json")
    writeFileSync(copy, readFileSync(articles))
    const other = write("other.json", 3)
    const plain = await keys()
    const one = await keys("--squad", articles)
    assert.deepStrictEqual(await keys("--squad", copy), one)
    const two = await keys("--squad", articles, "--squad-dev", other)
    const different = [
      plain,
      one,
      two,
      await keys("--squad", other),
      await keys("--squad", other, "--squad-dev", other)
    ]
    assert.lengthOf(new Set(different.flat()), different.flat().length)
    assert.deepStrictEqual(await keys(), plain)
  })

  it("is known to the processes that run cells", () => {
    const line = ReproduceSettings.written({
      ...asked,
      squad: Option.some("train.json"),
      squadDev: Option.some("dev.json")
    })
    assert.include(line.join(" "), "--squad train.json --squad-dev dev.json")
  })

  const noAnswer = { answers: [], is_impossible: true }
  const mistakes: ReadonlyArray<readonly [what: string, args: () => ReadonlyArray<string>, said: RegExp]> = [
    [
      "a file that is not there",
      () => ["--squad", "no/such.json"],
      /^no\/such\.json: cannot be read; give a file of SQuAD/
    ],
    [
      "a file that is not JSON",
      () => ["--squad", spans],
      /^.*spanExperiment\.ts: .*; give a file of SQuAD 1\.1 or 2\.0/s
    ],
    [
      "a file of something else",
      () => ["--squad", join(root, "package.json")],
      /^.*package\.json: data: Missing key; give a file of SQuAD/
    ],
    [
      "no question that has an answer",
      () => ["--squad", write("none.json", 5, noAnswer)],
      /none\.json: data: holds no question that has an answer; give a file in which is_impossible/
    ],
    [
      "no such question to be judged on",
      () => ["--squad", articles, "--squad-dev", write("none.json", 5, noAnswer)],
      /none\.json: data: holds no question that has an answer/
    ],
    [
      "one file of two articles",
      () => ["--squad", fixture("squad-1.1.json")],
      /squad-1\.1\.json: data: holds questions on 2 articles, .* takes 3; add the file to be judged on: --squad-dev/
    ],
    [
      "answers that are not where they should be",
      () => ["--squad", write("off.json", 5, { answers: [{ text: "Ada", answer_start: 4 }] })],
      /off\.json: data: has no question to learn from: no text stands where answer_start says; give a file whose/
    ],
    [
      "a file to be judged on alone",
      () => ["--squad-dev", articles],
      /^--squad-dev = .*: must be given with the file to learn from; add --squad train-v1\.1\.json/
    ]
  ]
  it.each(mistakes)("refuses %s, and writes nothing", async (_, args, said) => {
    const { code, out, error } = await reproduce(spans, ...args(), "--out", at("none"))
    assert.deepStrictEqual([code, out], [1, ""])
    assert.match(error, said)
    assert.isFalse(existsSync(at("none")))
  })

  it("is refused where nothing measures spans", async () => {
    const tiny = join(root, "test", "cli", "tinyExperiment.ts")
    const { code, error } = await reproduce(tiny, "--squad", articles, "--dry-run")
    assert.strictEqual(code, 1)
    assert.match(
      error,
      /^--squad = .*squad-articles\.json: must be given with an experiment that measures span extraction/
    )
  })
})
