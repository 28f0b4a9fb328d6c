import { NodeServices } from "@effect/platform-node"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { Markdown, Published, Table } from "../../src/report/index.ts"
import { table3 } from "./samples.ts"

const text = JSON.stringify({ table3: table3.published })
const problems = (json: string) => {
  const parsed = Published.parse("mine.json", json)
  return Result.isFailure(parsed) ? parsed.failure.problems : []
}

describe("a file of published figures", () => {
  it("is read as it stands", () => {
    expect(Result.getOrThrow(Published.parse("mine.json", text))).toEqual({ table3: table3.published })
  })

  it.each([
    ["no JSON", "{", "--published", "mine.json"],
    ["no object", "[]", "mine.json", ""],
    ["no source", '{"table3": {"rows": {}}}', "mine.json.table3.source", ""],
    ["an empty source", '{"table3": {"source": "", "rows": {}}}', "mine.json.table3.source", ""],
    ["a text for a number", '{"table3": {"source": "s", "rows": {"a": {"b": "1"}}}}', "mine.json.table3.rows.a.b", "1"],
    ["a row without columns", '{"table3": {"source": "s", "rows": {"a": 1}}}', "mine.json.table3.rows.a", "1"],
    ["a key too many", '{"table3": {"source": "s", "rows": {}, "row": {}}}', "mine.json.table3.row", "{}"]
  ])("%s: key, bound and remedy", (_, json, key, value) => {
    const [problem] = problems(json)
    expect(problem?.key).toBe(key)
    if (value !== "") expect(problem?.value).toBe(value)
    expect(problem?.bound).not.toBe("")
    expect(problem?.remedy).toMatch(/^write \{"table6"/)
  })

  it("that is not there: an error that names it", async () => {
    const error = await Effect.runPromise(
      Published.read("no/such/file.json").pipe(Effect.flip, Effect.provide(NodeServices.layer))
    )
    expect(error.message).toMatch(/^--published = no\/such\/file\.json: must be a file that can be read/)
  })
})

describe("what belongs to nothing", () => {
  const shown = [{ name: "table3", rows: table3.rows, columns: table3.columns }]
  const of = (rows: { [row: string]: { [id: string]: number } }, name = "table3") =>
    Published.check({ [name]: { source: "s", rows } }, shown, ["table3", "table6"]).map(({ value, bound }) => [
      value,
      bound
    ])

  it("is nothing where all is known", () => {
    expect(of(table3.published?.rows ?? {})).toEqual([])
    expect(of({ anything: { at: 1 } }, "table6")).toEqual([])
  })
  it("is every row, column and experiment that is unknown, and a row in two groups", () => {
    expect(of({ PLATO: {} })[0]?.[1]).toMatch(/^a row of table3: 189k parameters \/ TinyBERT_4, /)
    expect(of({ HomoDistil: { acc: 1 } })[0]?.[1]).toMatch(/^only one row of table3/)
    expect(of({ MiniLM: { acc: 1, loss: 2, exact: 3 } })).toEqual([
      ["loss", "a column of table3: acc, f1"],
      ["exact", "a column of table3: acc, f1"]
    ])
    expect(of({}, "table9")).toEqual([["table9", "an experiment: table3, table6"]])
  })
})

describe("what was published", () => {
  it("enters no table of measures by itself", () => {
    const { published: _, ...alone } = table3
    expect(Markdown.render(Table.make(alone))).not.toContain("published")
  })
})
