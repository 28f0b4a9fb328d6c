import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Markdown, Table } from "../../src/report/index.ts"
import { awkward, table3, table6 } from "./samples.ts"

const column: Table.Column = { id: "kl", name: "KL", unit: "nats", better: "lower", digits: 3 }
const of = (rows: ReadonlyArray<Table.MeasuredRow>, better: Table.Column["better"] = "lower", seeds = [0, 1, 2, 3]) =>
  Table.make({ title: "t", caption: "", rowHeader: "r", columns: [{ ...column, better }], seeds, rows })

/** Rows of four seeds; the first is the baseline. Values are near or far, so that some differences are seen and some are not. */
const rows = fc
  .array(
    fc.tuple(fc.integer({ min: -3, max: 3 }), fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 4, maxLength: 4 })),
    {
      minLength: 1,
      maxLength: 5
    }
  )
  .map((drawn) =>
    drawn.map(([shift, noise], r): Table.MeasuredRow => ({
      name: `row ${r}`,
      baseline: r === 0,
      cells: { kl: { values: noise.map((n) => shift + n / 10) } }
    }))
  )

describe("the table of the paper", () => {
  const table = Table.make(table6)

  it("marks the best score where it differs from magnitude, and no other", () => {
    const marked = table.rows.flatMap((row) =>
      row.cells.flatMap((cell, c) => (cell.best ? [[row.name, table.columns[c]?.id]] : []))
    )
    expect(marked).toEqual([
      ["sensitivity", "kl"],
      ["sensitivity", "mlm"],
      ["sensitivity", "area"]
    ])
  })
  it("compares with the baseline seed by seed", () => {
    expect(table.rows[0]?.cells.every(({ difference }) => difference === null)).toBe(true)
    // 1.464 - 1.561, 1.472 - 1.583, 1.480 - 1.572
    expect(table.rows[1]?.cells[0]?.difference?.mean).toBeCloseTo(-0.1, 12)
  })
})

describe("a row for reference", () => {
  it("is compared with none, is never the best, and changes nothing of the others", () =>
    fc.assert(
      fc.property(rows, fc.integer({ min: -9, max: 9 }), fc.boolean(), (own, value, grouped) => {
        const others = grouped ? own.map((row) => ({ ...row, group: "of one size" })) : own
        const reference = {
          name: "teacher",
          reference: true,
          cells: { kl: { values: [value, value, value + 1, value] } }
        }
        const { rows: made } = of([reference, ...others])
        expect(made[0]).toMatchObject({ baseline: false, group: null })
        expect(made[0]?.cells[0]).toMatchObject({ difference: null, best: false })
        expect(made.slice(1)).toEqual(of(others).rows)
      })
    ))
})

describe("missing values", () => {
  const table = Table.make(awkward)
  it("are left out of the statistics and keep their reason", () => {
    expect(table.rows[1]?.cells[0]).toMatchObject({ values: [0.5, null], missing: "not measured after the last step" })
    expect(table.rows[1]?.cells[0]?.summary).toMatchObject({ count: 1, mean: 0.5, interval: null })
    expect(table.rows[1]?.cells[0]?.difference).toMatchObject({ count: 1, mean: -0.5, pValue: null, pHolm: null })
  })
  it("leave an empty cell where there is none", () => {
    expect(table.rows[2]?.cells[0]).toEqual({
      values: [null, null],
      missing: null,
      summary: null,
      difference: null,
      best: false,
      published: null
    })
  })
})

describe("groups", () => {
  const grouped = (groups: ReadonlyArray<ReadonlyArray<Table.MeasuredRow>>) =>
    of(groups.flatMap((each, g) => each.map((row) => ({ ...row, group: `${g}` }))))

  it("are compared among themselves: means, differences and p-values are those of a table of their own", () =>
    fc.assert(
      fc.property(rows, rows, (one, two) => {
        const cells = (table: Table.Table) =>
          table.rows.map((row) => {
            const cell = row.cells[0]
            const { mean, pValue } = cell?.difference ?? {}
            return { summary: cell?.summary, mean, pValue }
          })
        expect(cells(grouped([one, two]))).toEqual([...cells(of(one)), ...cells(of(two))])
      })
    ))

  it("are corrected together: Holm over the comparisons of the whole column, by its definition", () =>
    fc.assert(
      fc.property(rows, rows, (one, two) => {
        const pairs = grouped([one, two]).rows.flatMap((row) => {
          const { pValue = null, pHolm = null } = row.cells[0]?.difference ?? {}
          return pValue === null || pHolm === null ? [] : [{ pValue, pHolm }]
        })
        for (const { pValue, pHolm } of pairs) {
          // the greatest (m - rank) · p of those that are no greater
          const smaller = pairs.filter((other) => other.pValue <= pValue)
          const steps = smaller.map((other) => {
            const before = pairs.filter((each) => each.pValue < other.pValue).length
            return Math.min(1, (pairs.length - before) * other.pValue)
          })
          expect(pHolm).toBeCloseTo(Math.max(...steps), 12)
        }
      })
    ))

  it("have a best row each, and published figures where they were published", () => {
    const table = Table.make(table3)
    const marked = table.rows.filter((row) => row.cells[0]?.best === true).map(({ group, name }) => [group, name])
    expect(marked).toEqual([["189k parameters", "HomoDistil"]])
    expect(table.rows.map((row) => row.cells.map(({ published }) => published))).toEqual([
      [null, null],
      [null, null],
      [83.3, null],
      [null, null],
      [84, null]
    ])
    expect(Table.groups(table).map(({ group, rows: members }) => [group, members.length])).toEqual([
      ["189k parameters", 3],
      ["340k parameters", 2]
    ])
  })

  it("published figures change no statistic", () => {
    const { published: _, ...alone } = table3
    const bare = (table: Table.Table) => table.rows.map((row) => row.cells.map((cell) => ({ ...cell, published: 0 })))
    expect(bare(Table.make(table3))).toEqual(bare(Table.make(alone)))
  })
})

describe("laws", () => {
  it("the order of the seeds changes nothing that is read", () =>
    fc.assert(
      fc.property(rows, fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), (drawn, order) => {
        const pick = <A>(items: ReadonlyArray<A>) => order.flatMap((i) => items.slice(i, i + 1))
        const turned = drawn.map((row) => ({ ...row, cells: { kl: { values: pick(row.cells["kl"]?.values ?? []) } } }))
        const read = (table: Table.Table) => Markdown.render(table, { detail: false })
        expect(read(of(turned, "lower", pick([0, 1, 2, 3])))).toBe(read(of(drawn)))
      })
    ))

  it("the order of the rows only moves them", () =>
    fc.assert(
      fc.property(rows, (drawn) => {
        const cells = new Map(of(drawn).rows.map((row) => [row.name, row.cells[0]]))
        for (const row of of(drawn.toReversed()).rows) {
          const { best: here, ...rest } = row.cells[0] ?? {}
          const { best: there, ...same } = cells.get(row.name) ?? {}
          expect(rest).toEqual(same)
          // rows with the same mean may take each other's place
          if (new Set([...cells.values()].map((cell) => cell?.summary?.mean)).size === cells.size)
            expect(here).toBe(there)
        }
      })
    ))

  it("the best row has the best mean, is not the baseline, and its difference survives Holm", () => {
    let seen = 0
    fc.assert(
      fc.property(rows, (drawn) => {
        const cells = of(drawn).rows.flatMap((row) => row.cells)
        const best = cells.filter((cell) => cell.best)
        expect(best.length).toBeLessThanOrEqual(1)
        for (const cell of best) {
          seen++
          expect(cell.difference?.pHolm).toBeLessThan(0.05)
          expect(cell.difference?.mean).toBeLessThan(0)
          for (const other of cells) expect(cell.summary?.mean).toBeLessThanOrEqual(other.summary?.mean ?? NaN)
        }
        for (const { difference } of cells)
          if (difference !== null) expect(difference.pHolm).toBeGreaterThanOrEqual(difference.pValue ?? NaN)
      })
    )
    expect(seen).toBeGreaterThan(0)
  })

  it("higher is better is lower is better of the negatives, and nothing is best where neither is", () =>
    fc.assert(
      fc.property(rows, (drawn) => {
        const negative = drawn.map((row) => ({
          ...row,
          cells: { kl: { values: (row.cells["kl"]?.values ?? []).map((value) => -(value ?? 0)) } }
        }))
        const marks = (table: Table.Table) => table.rows.map((row) => row.cells[0]?.best)
        expect(marks(of(negative, "higher"))).toEqual(marks(of(drawn)))
        expect(marks(of(drawn, "none"))).toEqual(drawn.map(() => false))
      })
    ))
})

describe("input that contradicts itself", () => {
  const row = (name: string, values: ReadonlyArray<number>): Table.MeasuredRow => ({ name, cells: { kl: { values } } })
  it.each<[string, () => unknown, RegExp]>([
    [
      "two baselines",
      () => of([1, 2].map((n) => ({ ...row(`${n}`, [1, 2, 3, 4]), baseline: true }))),
      /two baseline rows/
    ],
    ["too few values", () => of([row("a", [1])]), /1 values in row "a", column "kl", for 4 seeds/],
    [
      "unknown column",
      () => of([{ name: "a", cells: { mlm: { values: [1, 2, 3, 4] } } }]),
      /row "a" in column "mlm".*kl/
    ],
    ["a seed twice", () => of([row("a", [1, 2])], "lower", [1, 1]), /a seed twice/],
    [
      "two baselines in a group",
      () => of([1, 2].map((n) => ({ ...row(`${n}`, [1, 2, 3, 4]), baseline: true, group: "g" }))),
      /two baseline rows in the group g/
    ],
    [
      "a group in two places",
      () => of(["g", "h", "g"].map((group, n) => ({ ...row(`${n}`, [1, 2, 3, 4]), group }))),
      /other rows between those of the group g/
    ],
    ["too few runs", () => of([{ ...row("a", [1, 2, 3, 4]), runs: [{ key: "k" }] }]), /1 runs in row "a" for 4 seeds/],
    [
      "published figures of no row",
      () => Table.make({ ...table6, published: { source: "s", rows: { unknown: { kl: 1 } } } }),
      /published figures of "unknown"/
    ],
    [
      "published figures of an ambiguous row",
      () => Table.make({ ...table3, published: { source: "s", rows: { HomoDistil: { acc: 1 } } } }),
      /not the name of one row/
    ],
    [
      "published figures in no column",
      () => Table.make({ ...table6, published: { source: "s", rows: { PLATON: { none: 1 } } } }),
      /unknown column "none"/
    ],
    ["a column twice", () => Table.make({ ...table6, columns: [column, column] }), /two columns with one id/]
  ])("%s", (_, make, message) => {
    expect(make).toThrow(message)
  })
})
