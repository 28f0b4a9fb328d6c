import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { type OwnTaskOptions, readOwnTask } from "../../../src/data/index.ts"

const columns = { text: "review", label: "stars" }
const tsv = 'id\treview\tstars\n1\tfine " film\tgood\n2\tdull\tbad\n3\tso so\tbad\n'

/** Reads files of these texts, the first of which is trained on. */
const reading = (files: Readonly<Record<string, string>>, options: Partial<OwnTaskOptions> = {}) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const directory = yield* fs.makeTempDirectoryScoped()
    for (const [name, text] of Object.entries(files)) yield* fs.writeFileString(path.join(directory, name), text)
    const [train = "", dev] = Object.keys(files).map((name) => path.join(directory, name))
    return yield* readOwnTask({ train, ...(dev === undefined ? {} : { dev }), columns, ...options })
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
const read = (...args: Parameters<typeof reading>) => Effect.runPromise(reading(...args))
const messageOf = async (...args: Parameters<typeof reading>): Promise<string> =>
  (await Effect.runPromise(Effect.flip(reading(...args)))).message

describe("readOwnTask", () => {
  it("reads the same task from tab-separated, comma-separated and JSON text", async () => {
    const csv = 'id,review,stars\n1,"fine "" film",good\n2,dull,bad\n3,so so,bad\n'
    const json = [
      { id: 1, review: 'fine " film', stars: "good" },
      { id: 2, review: "dull", stars: "bad" },
      { review: "so so", stars: "bad" }
    ]
    const jsonl = `${json.map((row) => JSON.stringify(row)).join("\n")}\n\n`
    for (const [ending, text] of Object.entries({ tsv, csv, jsonl })) {
      const { name, labels, metrics, pair, train, dev } = await read({ [`a.${ending}`]: text, [`b.${ending}`]: text })
      assert.deepStrictEqual(
        [name, labels, metrics, pair],
        ["task", { kind: "classes", classes: ["bad", "good"] }, ["accuracy"], false]
      )
      assert.deepStrictEqual(train.texts, [
        { first: 'fine " film', label: 1 },
        { first: "dull", label: 0 },
        { first: "so so", label: 0 }
      ])
      assert.deepStrictEqual(dev[0]?.texts, train.texts)
    }
    assert.lengthOf((await read({ "a.txt": tsv, "b.txt": tsv }, { format: "tsv" })).train.texts, 3)
  })

  it("reads pairs and scores", async () => {
    const text = "a,b,y\none,uno,1.5\ntwo,dos,-3\n"
    const options = { columns: { text: "a", second: "b", label: "y" }, labels: "score", name: "close" } as const
    const { spec, pair, labels, metrics, train } = await read({ "a.csv": text, "b.csv": text }, options)
    assert.deepStrictEqual(
      [spec.name, pair, labels, metrics],
      ["close", true, { kind: "score" }, ["pearson", "spearman"]]
    )
    assert.deepStrictEqual(train.texts[1], { first: "two", second: "dos", label: -3 })
  })

  it("orders classes by number where all are numbers, and takes the order given", async () => {
    const rows = (labels: ReadonlyArray<string>) => `review\tstars\n${labels.map((label) => `a\t${label}\n`).join("")}`
    const classes = async (labels: ReadonlyArray<string>, given?: ReadonlyArray<string>) => {
      const text = rows(labels)
      const task = await read({ "a.tsv": text, "b.tsv": text }, given === undefined ? {} : { labels: given })
      return task.labels.kind === "classes" ? task.labels.classes : []
    }
    assert.deepStrictEqual(await classes(["10", "9", "-1"]), ["-1", "9", "10"])
    assert.deepStrictEqual(await classes(["b", "10", "9"]), ["10", "9", "b"])
    assert.deepStrictEqual(await classes(["b", "a"], ["b", "a", "c"]), ["b", "a", "c"])
  })

  it("holds a tenth out by the texts alone where there is no file to judge on", async () => {
    const texts = Array.from({ length: 300 }, (_, i) => `text ${i % 150}`)
    const of = (all: ReadonlyArray<string>) =>
      read({ "a.tsv": `review\tstars\n${all.map((text, i) => `${text}\t${i % 2}\n`).join("")}` })
    const { train, dev } = await of(texts)
    const held = new Set(dev[0]?.texts.map(({ first }) => first))
    assert.isTrue(held.size > 5 && held.size < 30)
    assert.isFalse(train.texts.some(({ first }) => held.has(first)))
    assert.strictEqual(train.texts.length + (dev[0]?.texts.length ?? 0), 300)
    const reversed = await of(texts.toReversed())
    assert.deepStrictEqual(new Set(reversed.dev[0]?.texts.map(({ first }) => first)), held)
  })

  it("names what is wrong in a file: line, field, value, what it must be, and what to do", async () => {
    const of = (text: string, ending = "tsv") => messageOf({ [`a.${ending}`]: text, [`b.${ending}`]: text })
    assert.match(
      await of("id\tstars\n1\tgood\n"),
      /a\.tsv: line 1, columns = "id, stars": must be .* "review" among them; map the columns/
    )
    assert.match(
      await of(`${tsv}4\tfew\n`),
      /line 5, row = 2 fields: must be 3 fields: id, review, stars; correct these rows/
    )
    assert.match(
      await of("review\tstars\na\tgood\nb\tgood\n"),
      /stars = 1 different labels: must be two classes or more/
    )
    assert.match(
      await of('{"review": "a", "stars": 1}\n{"review": "b"}\n{"review": [1], "stars": 2}\n', "jsonl"),
      /line 2, stars = "nothing": must be text or a number\n {2}line 3, review = "\[1\]"/
    )
    const deep = `{"review": ${"[".repeat(100_000)}${"]".repeat(100_000)}, "stars": 1}\n`
    assert.match(await of(deep, "jsonl"), /line 1, review = "a value nested too deeply": must be text or a number/)
    assert.match(await of('[1]\n{"review": "a"\n', "jsonl"), /line 1, row = "\[1\]": must be a JSON object on a line/)
    assert.match(
      await of('{"review": "a", "stars": 1}\n{"__proto__": {"review": "x", "stars": 1}}\n', "jsonl"),
      /line 2, review = "nothing"/
    )
    const many = `review\tstars\n${Array.from({ length: 1001 }, (_, i) => `a\t${i}\n`).join("")}`
    assert.match(await of(many), /stars = 1001 different labels: must be at most 1000; name the classes, or take/)
    assert.match(
      await messageOf({ "a.tsv": tsv, "b.tsv": tsv.replace("dull\tbad", "dull\tugly") }),
      /b\.tsv: line 3, label = "ugly": must be "bad" or "good"/
    )
    assert.match(await messageOf({ "a.tsv": tsv }, { labels: "score" }), /label = "good": must be a number/)
    assert.match(
      await messageOf({ "a.tsv": "review\tstars\na\t1\nb\t2\n" }),
      /a\.tsv: stars = 2 rows: must be enough to hold a tenth out; give a dev file/
    )
  })

  it("leaves out what it may", async () => {
    const text = `${tsv}4\tfew\n`
    const { train } = await read({ "a.tsv": text, "b.tsv": text }, { tolerance: 0.3 })
    assert.deepStrictEqual([train.texts.length, train.leftOut.count, train.leftOut.problems[0]?.line], [3, 1, 5])
  })

  it("names every wrong setting at once", async () => {
    const message = await messageOf({ "a.dat": tsv }, { labels: ["one"], metrics: ["pearson"], tolerance: 1 })
    assert.match(message, /^format = .*a\.dat: must be a file whose name ends in \.tsv, \.csv, \.jsonl/)
    for (const line of [
      /^labels = 1: must be two/m,
      /^metrics = pearson: must be metrics of classes/m,
      /^tolerance = 1: must be/m
    ])
      assert.match(message, line)
    assert.match(
      await messageOf({ "a.tsv": tsv, "b.tsv": tsv }, { labels: ["good", "bad", "x"], metrics: ["f1"] }),
      /3 classes: must be two classes for F1/
    )
  })
})
