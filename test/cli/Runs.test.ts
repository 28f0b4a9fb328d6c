import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { type CellResult, type Entry, FileRunStore, put, RunStore } from "homodistil/experiment"
import { Padding } from "homodistil/report"
import * as CollectGarbage from "../../src/cli/runs/CollectGarbage.ts"
import * as Columns from "../../src/cli/runs/Columns.ts"
import * as ExportCells from "../../src/cli/runs/ExportCells.ts"
import * as Keys from "../../src/cli/runs/Keys.ts"
import * as ListCells from "../../src/cli/runs/ListCells.ts"
import * as VerifyStore from "../../src/cli/runs/VerifyStore.ts"
import { run, runner, runOne } from "../experiment/toy.ts"
import { command } from "./terminal.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-runs-"))
const store = join(folder, "store")
const layerOf = (at: string): Layer.Layer<RunStore> => Layer.provide(FileRunStore.layer(at), NodeServices.layer)

/** The cells of the toy experiment: magnitude and PLATON with two seeds each. */
let cells: ReadonlyArray<CellResult> = []
const begun = "b0".repeat(32)
const diverged = "d0".repeat(32)

const keyOf = (scorer: string, seed: number): string =>
  cells.find(({ spec }) => JSON.stringify(spec["plan"]).includes(`"name":"${scorer}"`) && spec["seed"] === seed)?.key ??
  "none"

const Written = Schema.Struct({
  key: Schema.String,
  spec: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
  measures: Schema.optionalKey(Schema.Record(Schema.String, Schema.Finite))
})
const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Written)))

/** Begins a cell and leaves it. */
const begin = (key: string) =>
  Effect.gen(function* () {
    const claim = yield* (yield* RunStore).claim(key)
    if (claim !== undefined) yield* claim.save(3, new Uint8Array(8))
  }).pipe(Effect.scoped)

const filled = Effect.gen(function* () {
  const { rows } = yield* runOne(runner().options)
  const finished = rows.flatMap((row) => row.cells)
  const [one] = finished
  if (one !== undefined) yield* put({ ...one, key: diverged, diverged: "the loss was NaN at step 4", measures: {} })
  yield* begin(begun)
  return finished
})

beforeAll(async () => {
  cells = await run(filled, layerOf(store))
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const runs = (...args: ReadonlyArray<string>) => command(["runs", ...args, "--store", store])

/** What a command says that succeeds. */
const said = async (...args: ReadonlyArray<string>): Promise<string> => {
  const { code, out, error } = await runs(...args)
  assert.deepStrictEqual([code, error], [0, ""])
  return out
}

describe("Runs: ListCells", () => {
  it("has a line for each cell, with what tells it apart, and says once what is the same in all", async () => {
    const lines = (await said("list")).trimEnd().split("\n")
    assert.match(lines[0] ?? "", /^key +state +seed +steps +discrepancy +time +finished \(UTC\) +differs in$/)
    for (const { key } of cells) {
      const line = lines.find((each) => each.startsWith(key.slice(0, 12))) ?? ""
      assert.match(line, /^\w{12}  finished +[01] +6 +[\d.e-]+ .* s  \d{4}-\d\d-\d\d \d\d:\d\d  (magnitude|platon)$/)
      assert.isTrue(line.endsWith(key === keyOf("platon", 0) || key === keyOf("platon", 1) ? "platon" : "magnitude"))
    }
    assert.isTrue(lines.includes("b0b0b0b0b0b0  begun"))
    assert.isTrue(lines.some((line) => line.startsWith("d0d0d0d0d0d0  diverged ")))
    assert.isTrue(lines.some((line) => /^6 cells: 4 finished, 1 diverged, 1 begun; .* bytes$/.test(line)))
    assert.include(lines.join("\n"), "in all of them: student fromTeacher; ratio cubic(")
  })

  it("is a JSON list for programs", async () => {
    const list = decode(await said("list", "--json"))
    assert.lengthOf(list, 6)
    const found = list.find(({ key }) => key === cells[0]?.key)
    assert.deepStrictEqual([found?.spec, found?.measures], [cells[0]?.spec, cells[0]?.measures])
  })

  it("asks the store for its list and nothing else, and names a damaged cell", () => {
    const [cell] = cells
    const entries: ReadonlyArray<Entry> = [
      { key: "a".repeat(64), state: "damaged", bytes: 10 },
      ...(cell === undefined ? [] : [{ key: cell.key, state: "finished" as const, cell, bytes: 990 }])
    ]
    const lines = ListCells.render(entries, "other")
    assert.strictEqual(lines[2], "aaaaaaaaaaaa  damaged")
    assert.strictEqual(lines[3], "2 cells: 1 finished, 1 damaged; 1.00k bytes")
    assert.strictEqual(lines.at(-1), "homodistil runs verify --store other says what is damaged")
    assert.deepStrictEqual(ListCells.render([], "none"), ["no cells in none; homodistil reproduce makes some"])
  })
})

describe("Runs: ShowCell", () => {
  it("shows spec, measures, curve, path and provenance", async () => {
    const [cell] = cells
    const text = await said("show", (cell?.key ?? "").slice(0, 10))
    assert.isTrue(text.startsWith(`${cell?.key}  finished\n\nspec\n`))
    assert.include(text, "\n    scorer  magnitude\n")
    assert.match(text, /\n  seed  0\n/)
    assert.match(text, /\nmeasures\n(?: {2}[\w.]+ +[-\d.e]+\n)+/)
    assert.match(
      text,
      /\ncurve\n {2}KL\(teacher ‖ student\), nats, 0 to \d\.\d\d, over steps 0 to 6\n {2}student {2}[▁-█]+/
    )
    assert.match(text, /\npath\n {2}step {2}parameters {2}widths\n {5}0 .* hidden 8, ffn 12, qk \d+, vo \d+\n/)
    assert.match(text, /\n {2}time +\d.* s, of which training \d/)
    assert.match(text, /\n {2}resumed +never\n {2}machine +test, none, 1 core\n {2}git commit +none\n/)
  })

  it("says why a run diverged", async () =>
    assert.match(await said("show", "d0"), /^(d0){32}  diverged: the loss was NaN at step 4\n/))
})

describe("Runs: DiffCells", () => {
  it("names what differs in specs and measures, and leaves out what is equal", async () => {
    const [a, b] = [keyOf("magnitude", 0), keyOf("platon", 1)]
    const text = await said("diff", a, b)
    assert.isTrue(text.startsWith(`${a.slice(0, 12)} → ${b.slice(0, 12)}\n\nspec\n`))
    assert.match(text, /\n {2}plan\.scorer +magnitude → platon\n/)
    assert.match(text, /\n {2}plan\.scorer\.platon\.window +– → 2\n/)
    assert.match(text, /\n {2}seed +0 → 1\n/)
    assert.match(text, /\n {2}curve\.final +[\d.]+ → [\d.]+ +[+−][\d.e-]+\n/)
    assert.match(text, /\n {2}curve +differs from step \d on\n/)
    assert.notInclude(text, "teacher")
    assert.notInclude(text, "resumed")
    const places = ["\nspec\n", "\nmeasures\n", "\nprovenance\n"].map((title) => text.indexOf(title))
    assert.deepStrictEqual(
      places,
      places.toSorted((x, y) => x - y)
    )
  })

  it("has nothing to say of a cell and itself", async () => {
    const key = keyOf("platon", 0)
    assert.strictEqual(await said("diff", key, key), `${key.slice(0, 12)} → ${key.slice(0, 12)}: nothing differs\n`)
  })
})

describe("Runs: VerifyStore", () => {
  it("counts what it has read when all is whole", async () =>
    assert.strictEqual(
      await said("verify"),
      `${store}: 6 cells read to the last byte (5 finished, 1 on the way); all are whole\n`
    ))

  it("names each damaged object with a reason and a remedy, and gives 1", async () => {
    const other = join(folder, "damaged")
    cpSync(store, other, { recursive: true })
    const objects = [
      join(other, "cells", keyOf("platon", 0), "result.json"),
      join(other, "cells", diverged, "provenance.json")
    ]
    for (const object of objects) {
      const bytes = readFileSync(object)
      bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100)
      writeFileSync(object, bytes)
    }
    const { code, out, error } = await command(["runs", "verify", "--store", other])
    assert.strictEqual(code, 1)
    assert.lengthOf(out.trimEnd().split("\n"), 2)
    for (const object of objects) assert.isTrue(out.split("\n").some((line) => line.startsWith(`${object}: `)))
    assert.match(out, /: .+; .+\n/)
    assert.strictEqual(error, `${other}: 2 objects damaged; nothing of them is used until that is mended\n`)
    assert.strictEqual(VerifyStore.line({ object: "a", reason: "b", remedy: "c" }), "a: b; c")
  })
})

describe("Runs: CollectGarbage", () => {
  it("lists what goes, and removes it unless that is a dry run", async () => {
    const other = join(folder, "collected")
    cpSync(store, other, { recursive: true })
    const gc = (...args: ReadonlyArray<string>) => command(["runs", "gc", "--store", other, ...args])
    assert.deepStrictEqual(await gc(), { code: 0, out: "nothing to remove\n", error: "" })
    const checkpoints = join(other, "cells", begun, "checkpoints")
    const planned = await gc("--begun", "--dry-run")
    assert.match(planned.out, /checkpoints\/3\.ckpt\n/)
    assert.match(planned.out, /\n\d objects? would go\n$/)
    assert.isTrue(existsSync(join(checkpoints, "3.ckpt")))
    const done = await gc("--begun")
    assert.match(done.out, /checkpoints\/3\.ckpt\n/)
    assert.match(done.out, /\n\d objects? removed\n$/)
    assert.isFalse(existsSync(join(checkpoints, "3.ckpt")))
    const list = await command(["runs", "list", "--store", other])
    assert.match(list.out, /\n5 cells: 4 finished, 1 diverged; /)
    assert.deepStrictEqual(CollectGarbage.render([], true), ["nothing to remove"])
  })
})

describe("Runs: ExportCells", () => {
  it("is one line a finished cell, with what varies of the specs and every measure, unrounded", async () => {
    const [head = "", ...lines] = (await said("export")).trimEnd().split("\r\n")
    const names = Object.keys(cells[0]?.measures ?? {}).toSorted()
    assert.deepStrictEqual(head.split(","), ["key", "state", "seed", "plan.scorer", ...names, "seconds", "finished"])
    assert.lengthOf(lines, 5)
    for (const { key, measures, spec } of cells) {
      const fields = lines.find((line) => line.startsWith(key))?.split(",") ?? []
      const scorer = key === keyOf("platon", Number(spec["seed"])) ? "platon" : "magnitude"
      assert.deepStrictEqual(fields.slice(1, 4), ["finished", JSON.stringify(spec["seed"]), scorer])
      assert.deepStrictEqual(
        fields.slice(4, 4 + names.length).map(Number),
        names.map((name) => measures[name])
      )
    }
    const gone = lines.find((line) => line.startsWith(diverged))?.split(",") ?? []
    assert.deepStrictEqual(gone.slice(1, 5), ["diverged", "0", "magnitude", ""])
  })

  it("writes JSON of some cells into a file", async () => {
    const file = join(folder, "some", "cells.json")
    const [a, b] = [keyOf("platon", 0), keyOf("platon", 1)]
    assert.strictEqual(await said("export", a, b.slice(0, 12), "--out", file), `2 cells in ${file}\n`)
    const list = decode(readFileSync(file, "utf8"))
    assert.deepStrictEqual(
      list.map(({ key, spec }) => [key, spec]),
      [
        [a, { seed: 0 }],
        [b, { seed: 1 }]
      ]
    )
    assert.deepStrictEqual(readdirSync(join(folder, "some")), ["cells.json"])
    assert.strictEqual(ExportCells.renderJson(ExportCells.exported([])), "[]\n")
  })

  it("refuses a format that there is not", async () => {
    const { code, error } = await runs("export", "--format", "xml")
    assert.strictEqual(code, 1)
    assert.match(error, /^--format = xml: must be one of csv, json/)
  })
})

describe("Runs: Keys", () => {
  const refused = async (...args: ReadonlyArray<string>): Promise<string> => {
    const { code, out, error } = await runs(...args)
    assert.deepStrictEqual([code, out], [1, ""])
    return error
  }

  it("that begin several cells' keys give an error that names them", async () => {
    const first = "c0".repeat(32)
    const entries = [first, `${first.slice(0, 20)}ff`, `${first.slice(0, 20)}fe`].map((key): Entry => ({
      key,
      state: "begun",
      bytes: 0
    }))
    assert.deepStrictEqual(Keys.find(entries, "c0c0", "KEY", "runs"), {
      key: "KEY",
      value: "c0c0",
      bound: "the beginning of one key; 3 begin so",
      remedy: `use one of ${first.slice(0, 22)}, ${first.slice(0, 20)}ff, ${first.slice(0, 20)}fe`
    })
    assert.strictEqual(Keys.find(entries, first.toUpperCase(), "KEY", "runs"), entries[0])
    const error = await refused("show", "")
    for (const { key } of cells) assert.include(error, key.slice(0, 12))
  })

  it("that begin none say where to look, all of them at once", async () =>
    assert.strictEqual(
      await refused("diff", "xyz", "zyx"),
      ["xyz", "zyx"]
        .map(
          (key) =>
            `KEY = ${key}: must be the beginning of the key of one of the 6 cells in ${store}; see homodistil runs list --store ${store}\n`
        )
        .join("")
    ))

  it("of a cell that is not finished say so", async () => {
    const expected = /^KEY = b0b0b0b0b0b0: must be a finished cell; this one is begun; run homodistil reproduce again/
    assert.match(await refused("show", "b0"), expected)
    assert.match(await refused("export", "b0"), expected)
  })
})

describe("Runs: Columns", () => {
  it("stand under each other, whatever their letters", () => {
    const lines = Columns.lines(
      [{ name: "a" }, { name: "b", side: "right" }],
      [
        ["é", "1"],
        ["x · y", "−10"]
      ]
    )
    assert.deepStrictEqual(lines, ["a        b", "é        1", "x · y  −10"])
    assert.isTrue(lines.every((line) => Padding.length(line) === 10))
    assert.deepStrictEqual(Columns.lines([{ name: "" }], [["a"]]), ["a"])
  })
})
