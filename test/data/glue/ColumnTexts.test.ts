import { assert, describe, it } from "@effect/vitest"
import { columnTexts, missingColumns } from "../../../src/data/glue/ColumnTexts.ts"

const columns = { text: "b", label: "d", second: "a" }

describe("columnTexts", () => {
  it("takes the columns by their names, wherever they stand", () => {
    const rows = [
      { line: 2, fields: ["1", "2", "3", "4"] },
      { line: 5, fields: ["1", "2"] }
    ]
    assert.deepStrictEqual(
      [...columnTexts(rows, ["a", "b", "c", "d"], columns)],
      [
        { line: 2, first: "2", second: "1", label: "4" },
        { line: 5, field: "row", value: "2 fields", bound: "4 fields: a, b, c, d" }
      ]
    )
    assert.deepStrictEqual(
      [...columnTexts(rows.slice(0, 1), ["a", "b", "c", "d"], { text: "c", label: "a" })],
      [{ line: 2, first: "3", label: "1" }]
    )
  })

  it("names every column that is missing, and shows long lists shortened", () => {
    assert.deepStrictEqual(missingColumns(1, ["a", "b", "d"], columns), [])
    assert.deepStrictEqual(
      missingColumns(1, ["c"], columns).map(({ bound }) => bound),
      [
        'names of columns with "b" among them',
        'names of columns with "d" among them',
        'names of columns with "a" among them'
      ]
    )
    const names = Array.from({ length: 1000 }, (_, i) => `column${i}`)
    const [problem] = columnTexts([{ line: 2, fields: [] }], names, { text: "column0", label: "column1" })
    assert.isBelow(JSON.stringify(problem).length, 400)
  })
})
