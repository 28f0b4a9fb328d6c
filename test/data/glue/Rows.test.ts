import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { csvRows, textLines, tsvRows } from "../../../src/data/index.ts"

const ends = fc.constantFrom("\n", "\r\n", "\r")

describe("textLines", () => {
  it("numbers the lines as they stand, without the empty ones", () => {
    const lines = fc.array(fc.string({ unit: fc.constantFrom("a", "é", "\t", '"', " ", "\u2028", "\u0085") }))
    fc.assert(
      fc.property(lines, ends, fc.boolean(), (all, end, mark) => {
        const text = `${mark ? "\ufeff" : ""}${all.join(end)}`
        assert.deepStrictEqual(
          [...textLines(text)],
          all.flatMap((line, i) => (line === "" ? [] : [[i + 1, line] as const]))
        )
      })
    )
  })
})

describe("tsvRows", () => {
  it("cuts at tabs alone: what was joined comes back", () => {
    const field = fc.string({ unit: fc.constantFrom("a", '"', "'", ",", " ", "\\") })
    fc.assert(
      fc.property(fc.array(fc.array(field, { minLength: 2, maxLength: 4 })), ends, (rows, end) => {
        const text = rows.map((row) => row.join("\t") + end).join("")
        assert.deepStrictEqual(
          [...tsvRows(text)],
          rows.map((fields, i) => ({ line: i + 1, fields }))
        )
      })
    )
  })
})

describe("csvRows", () => {
  it("reads back what RFC 4180 writes, and says on which line a row begins", () => {
    const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", " ", "é") })
    const written = (value: string, always: boolean) =>
      always || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { minLength: 2, maxLength: 4 })),
        ends,
        fc.boolean(),
        fc.boolean(),
        (rows, end, always, last) => {
          const lines = rows.map((row) => row.map((value) => written(value, always)).join(","))
          const text = lines.join(end) + (last && rows.length > 0 ? end : "")
          const found = [...csvRows(text)]
          assert.deepStrictEqual(
            found.map(({ fields }) => fields),
            rows
          )
          found.forEach(({ line }, i) => {
            const before = lines
              .slice(0, i)
              .map((row) => row + end)
              .join("")
            assert.strictEqual(line, 1 + (before.match(/\r\n?|\n/g) ?? []).length)
          })
        }
      )
    )
  })

  it("skips empty lines, not empty fields in quotes", () => {
    assert.deepStrictEqual(
      [...csvRows('\ufeffa\n\n""\n,\n')].map(({ line, fields }) => [line, fields]),
      [
        [1, ["a"]],
        [3, [""]],
        [4, ["", ""]]
      ]
    )
    assert.deepStrictEqual([...csvRows("")], [])
  })

  it("gives the rest as one field where quotes do not close, or something follows them", () => {
    assert.deepStrictEqual([...csvRows('a,b\nc,"d\ne,f')].at(-1), { line: 2, fields: ['"d\ne,f'] })
    assert.deepStrictEqual([...csvRows('"a"b,c\nd')], [{ line: 1, fields: ['"a"b,c\nd'] }])
  })

  it("takes a hostile text in a time that grows as it does", () => {
    const many = 300_000
    assert.lengthOf([...csvRows(`"${'""'.repeat(many)}`)], 1)
    assert.lengthOf([...csvRows(`"${'""'.repeat(many)}"\n`)], 1)
    assert.lengthOf([...csvRows(",".repeat(many))][0]?.fields ?? [], many + 1)
    assert.lengthOf([...csvRows("\r".repeat(many))], 0)
  })
})
