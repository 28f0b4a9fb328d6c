import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ReproduceSettings from "../../src/cli/ReproduceSettings.ts"
import { asked } from "./asked.ts"
import { command, root } from "./terminal.ts"
import { writeTinyTeacher } from "./tinyTeacher.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-glue-"))
const at = (...path: ReadonlyArray<string>): string => join(folder, ...path)
const glue = join(root, "test", "data", "fixtures", "glue")
const tasks = join(root, "test", "cli", "taskExperiment.ts")

beforeAll(() => Effect.runPromise(writeTinyTeacher(at("teacher")).pipe(Effect.provide(NodeServices.layer))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const where = () => ["--scale", "smoke", "--jobs", "1", "--quiet", "--store", at("runs"), "--teacher", at("teacher")]
const reproduce = (experiment: string, ...args: ReadonlyArray<string>) =>
  command(["reproduce", experiment, ...args, ...where()])

/** Key and label of each cell that a dry run lists. */
const listed = async (
  ...args: ReadonlyArray<string>
): Promise<ReadonlyArray<readonly [key: string, label: string]>> => {
  const { code, out, error } = await reproduce(tasks, "--dry-run", ...args)
  assert.strictEqual(code, 0, error)
  return [...out.matchAll(/^ {2}([0-9a-f]{12}) .* seed \d+ {2}(.*)$/gm)].map(([, key = "", label = ""]) => [key, label])
}
const keys = async (...args: ReadonlyArray<string>) => (await listed(...args)).map(([key]) => key)

describe("--glue", () => {
  it("measures its tasks in the place of Brown's, to a table that names them, the texts and the command", async () => {
    const given = ["--glue", glue, "--glue-tasks", "sst2,mrpc", "--glue-epochs", "2", "--rows", "homoDistil"]
    const { code, out, error } = await reproduce(tasks, ...given, "--out", at("out"))
    assert.strictEqual(code, 0, error)
    const table = readFileSync(at("out", "table.md"), "utf8")
    assert.match(table, /Test MLM loss .*\| SST-2 accuracy \(%\) ↑ \| MRPC F1 \(%\) ↑ \| MRPC accuracy \(%\) ↑ \|/)
    assert.include(table, "SST-2: 2 passes over 6 of 6 texts of at most ")
    assert.include(table, "judged on 3 of its development set, the best of 2 evaluations")
    assert.notMatch(table, /genre|Genre|no teacher/)
    for (const page of [table, out, readFileSync(at("out", "index.html"), "utf8")])
      assert.include(page, given.join(" "))
  })

  it("gives cells of their own to tasks, texts and passes, and takes the tasks whose folders are there", async () => {
    const all = await keys("--glue", glue)
    const one = await keys("--glue", glue, "--glue-tasks", "sst2")
    const different = [
      await keys(),
      all,
      one,
      await keys("--glue", glue, "--glue-tasks", "sst2", "--glue-epochs", "1"),
      await keys("--glue", glue, "--glue-tasks", "sst2", "--glue-examples", "2")
    ]
    assert.lengthOf(new Set(different.flat()), different.flat().length)
    assert.deepStrictEqual(
      await keys("--glue", glue, "--glue-tasks", "cola,sst2,mrpc,qqp,stsb,mnli,qnli,rte,wnli"),
      all
    )
    assert.deepStrictEqual(await keys("--glue", glue, "--glue-tasks", "sst2", "--glue-epochs", "3"), one)
  })

  it("is known to the processes that run cells, with the rows", () => {
    const line = ReproduceSettings.written({
      ...asked,
      rows: Option.some("homoDistil"),
      glue: Option.some("GLUE"),
      glueTasks: Option.some("sst2"),
      glueExamples: Option.some(4000),
      glueEpochs: Option.some(2)
    }).join(" ")
    assert.include(line, "--glue GLUE --glue-tasks sst2 --glue-examples 4000 --glue-epochs 2 --rows homoDistil")
  })

  const mistakes: ReadonlyArray<readonly [what: string, args: () => ReadonlyArray<string>, said: RegExp]> = [
    [
      "options without the folder, all of them",
      () => ["--glue-tasks", "sst2", "--glue-epochs", "1"],
      /^--glue-tasks = sst2: must be given with the folder of GLUE; add --glue DIR[^]*\n--glue-epochs = 1: must be/
    ],
    [
      "a task that GLUE has not",
      () => ["--glue", glue, "--glue-tasks", "sst2,squad"],
      /^--glue-tasks = squad: must be one of cola, sst2, .*; use for example --glue-tasks sst2,mrpc/
    ],
    ["no examples", () => ["--glue", glue, "--glue-examples", "0"], /^--glue-examples = 0: must be/],
    ["no pass", () => ["--glue", glue, "--glue-epochs", "0"], /^--glue-epochs = 0: must be/],
    [
      "a folder that is not there",
      () => ["--glue", at("none")],
      /none.*folder.*give the folder that GLUE was unpacked in/s
    ],
    [
      "a folder without a task",
      () => {
        mkdirSync(at("empty"), { recursive: true })
        return ["--glue", at("empty")]
      },
      /^--glue = .*empty: must be a folder with a folder of one of GLUE's tasks in it/
    ],
    [
      "a task that is not in the folder",
      () => {
        mkdirSync(at("half", "SST-2"), { recursive: true })
        return ["--glue", at("half"), "--glue-tasks", "mrpc"]
      },
      /a folder with MRPC in it/
    ]
  ]
  it.each(mistakes)("refuses %s, and writes nothing", async (_, args, said) => {
    const { code, out, error } = await reproduce(tasks, ...args(), "--out", at("none-out"))
    assert.deepStrictEqual([code, out], [1, ""])
    assert.match(error, said)
    assert.isFalse(existsSync(at("none-out")))
  })

  it("is refused where nothing measures such tasks", async () => {
    const { code, error } = await reproduce(join(root, "test", "cli", "spanExperiment.ts"), "--glue", glue, "--dry-run")
    assert.strictEqual(code, 1)
    assert.match(error, /^--glue = .*: must be given with an experiment that measures downstream tasks/)
  })
})

describe("--rows", () => {
  it("lists these rows and the baseline, by name or label, with the keys they have among all", async () => {
    const all = await listed()
    assert.deepStrictEqual(
      all.map(([, label]) => label),
      ["oneShot", "homoDistil", "no teacher"]
    )
    for (const [rows, expected] of [
      ["homoDistil", [0, 1]],
      ["no teacher", [0, 2]],
      ["noTeacher, homoDistil", [0, 1, 2]],
      ["oneShot", [0]]
    ] as const)
      assert.deepStrictEqual(
        await listed("--rows", rows),
        expected.flatMap((i) => all.slice(i, i + 1))
      )
  })

  it("refuses what is no row", async () => {
    const { code, error } = await reproduce(tasks, "--rows", "homoDistil,tinyBert", "--dry-run")
    assert.strictEqual(code, 1)
    assert.match(error, /^--rows = tinyBert: must be one of oneShot, homoDistil, noTeacher; leave it out/)
  })
})
