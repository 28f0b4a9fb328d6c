import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import { type GlueName, glueNames, glueSplit, readGlue } from "../../../src/data/index.ts"
import { run } from "../brown.ts"
import { readHostile } from "./hostile.ts"

const fixtures = new URL("../fixtures/glue", import.meta.url).pathname
const split = (task: GlueName, text: string) => glueSplit(task, "dev", { file: "dev.tsv", text, digest: "" })
const messageOf = (task: GlueName, text: string) => Result.getOrThrow(Result.flip(split(task, text))).message

describe("readGlue", () => {
  it("reads all nine tasks from their official layout", () =>
    run(
      Effect.gen(function* () {
        const found: Record<string, unknown> = {}
        for (const name of glueNames) {
          const { pair, labels, metrics, train, dev, spec } = yield* readGlue(name, fixtures)
          assert.strictEqual(spec.name, name)
          assert.isTrue(
            [train, ...dev].every(({ texts }) => texts.every(({ second }) => (second !== undefined) === pair))
          )
          found[name] = [
            labels.kind === "score" ? "score" : labels.classes.length,
            metrics.join(" "),
            train.texts.map(({ label }) => label),
            dev.map((each) => [each.name, each.texts.map(({ label }) => label)])
          ]
        }
        assert.deepStrictEqual(found, {
          cola: [2, "matthews", [1, 0, 1, 0, 1, 0], [["dev", [1, 0, 1]]]],
          sst2: [2, "accuracy", [1, 0, 1, 0, 0, 1], [["dev", [1, 0, 1]]]],
          mrpc: [2, "f1 accuracy", [1, 0, 1, 0], [["dev", [1, 0]]]],
          qqp: [2, "f1 accuracy", [1, 0, 1, 0], [["dev", [1, 0]]]],
          stsb: ["score", "pearson spearman", [5, 1.8, 0, 4.25], [["dev", [4.8, 0.6, 4.6]]]],
          mnli: [
            3,
            "accuracy",
            [0, 1, 2],
            [
              ["dev_matched", [2, 0, 1]],
              ["dev_mismatched", [0, 1]]
            ]
          ],
          qnli: [2, "accuracy", [0, 1], [["dev", [0, 1]]]],
          rte: [2, "accuracy", [0, 1], [["dev", [0, 1]]]],
          wnli: [2, "accuracy", [1, 0], [["dev", [1, 0]]]]
        })
      })
    ))

  it("keeps quotation marks as they are, and the byte-order mark out", () =>
    run(
      Effect.gen(function* () {
        const mrpc = yield* readGlue("mrpc", fixtures)
        assert.deepStrictEqual(mrpc.train.texts[2], {
          first: 'He called the plan " a start .',
          second: '" A start , " he called the plan .',
          label: 1
        })
        const cola = yield* readGlue("cola", fixtures)
        assert.strictEqual(cola.train.texts[0]?.first, "The lamp lit the hall.")
        assert.strictEqual(cola.dev[0]?.texts[2]?.first, '"No", he said.')
      })
    ))

  it("leaves QQP's broken rows out, and names them", () =>
    run(
      Effect.gen(function* () {
        const { train } = yield* readGlue("qqp", fixtures)
        assert.deepStrictEqual(train.leftOut, {
          count: 1,
          problems: [
            {
              line: 4,
              field: "row",
              value: "4 fields",
              bound: "6 fields: id, qid1, qid2, question1, question2, is_duplicate"
            }
          ]
        })
      })
    ))

  it("finds a folder however its name is written, that of the official name first", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const directory = yield* fs.makeTempDirectoryScoped()
        const put = (folder: string) => fs.copy(path.join(fixtures, "SST-2"), path.join(directory, folder))
        const used = Effect.map(readGlue("sst2", directory), ({ train }) => path.basename(path.dirname(train.file)))
        yield* put("sst2")
        assert.strictEqual(yield* used, "sst2")
        yield* put("sst-2")
        assert.strictEqual(yield* used, "sst-2")
        yield* put("SST-2")
        assert.strictEqual(yield* used, "SST-2")
        const lower = yield* fs.makeTempDirectoryScoped()
        yield* fs.copy(path.join(fixtures, "CoLA"), path.join(lower, "cola"))
        assert.lengthOf((yield* readGlue("cola", lower)).train.texts, 6)
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
    ))

  it("names the folder or file that is missing", () =>
    run(
      Effect.gen(function* () {
        const nowhere = yield* Effect.flip(readGlue("rte", "nowhere"))
        assert.strictEqual(nowhere._tag, "TextFileError")
        assert.match(nowhere.message, /^nowhere: folder = nothing: must be a readable folder; give the folder/)
        const empty = yield* Effect.flip(readGlue("rte", `${fixtures}/RTE`))
        assert.match(empty.message, /folder = none: must be a folder with RTE in it/)
        const fs = yield* FileSystem.FileSystem
        const directory = yield* fs.makeTempDirectory()
        yield* fs.makeDirectory(`${directory}/RTE`)
        const missing = yield* Effect.flip(readGlue("rte", directory))
        assert.match(missing.message, /train\.tsv: file = nothing: must be a readable file; check the path/)
        yield* fs.writeFile(`${directory}/RTE/train.tsv`, Uint8Array.of(0x69, 0xff, 0xfe))
        assert.match(
          (yield* Effect.flip(readGlue("rte", directory))).message,
          /file = bytes of another kind: must be text in UTF-8/
        )
        yield* fs.remove(directory, { recursive: true })
      })
    ))
})

describe("glueSplit", () => {
  it("names line, field, value and what it must be", () => {
    const header = "sentence\tlabel\n"
    assert.match(
      messageOf("sst2", `${header}good\t1\nbad\tno\nworse\t2\n`),
      /^dev\.tsv: line 3, label = "no": must be "0" or "1"\n {2}line 4, label = "2": must be "0" or "1"; correct these rows/
    )
    assert.match(
      messageOf("sst2", "text\tlabel\na\t1\n"),
      /line 1, columns = "text, label": must be names .* "sentence" among/
    )
    assert.match(messageOf("sst2", ""), /columns = ""/)
    assert.match(messageOf("sst2", header), /rows = none: must be at least one; give a file with examples/)
    assert.match(messageOf("sst2", `${header} \t1\n\t0\n`), /line 2, first text = " ": must be some text/)
    const stsb = "index\tsentence1\tsentence2\tscore\n"
    for (const score of ["6", "-1", "x", "", "NaN", "Infinity", "0x1"])
      assert.match(
        messageOf("stsb", `${stsb}0\ta\tb\t${score}\n0\ta\t\t1\n`),
        new RegExp(`line 2, label = ${JSON.stringify(score)}: must be a number in \\[0, 5\\]`)
      )
    assert.match(
      messageOf("mnli", "sentence1\tsentence2\tgold_label\na\tb\t-\na\tb\t-\n"),
      /label = "-": must be "entailment" or/
    )
  })

  it("shows the first of many problems, and counts the rest", () => {
    const { message } = Result.getOrThrow(Result.flip(split("sst2", `sentence\tlabel\n${"a\n".repeat(500)}`)))
    assert.lengthOf(message.split("\n"), 11)
    assert.match(message, /and 490 more; /)
  })

  it("bears one broken row in a hundred, and no more", () => {
    const rows = (good: number, broken: number) =>
      `sentence\tlabel\n${"fine\t1\n".repeat(good)}${"broken\n".repeat(broken)}`
    assert.strictEqual(Result.getOrThrow(split("sst2", rows(297, 3))).leftOut.count, 3)
    assert.match(messageOf("sst2", rows(296, 4)), /1 fields/)
  })
})

describe("hostile files", () => {
  it("give sound texts or a typed error", () => readHostile(300))
})
