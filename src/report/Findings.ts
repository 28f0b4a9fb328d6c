import * as Legend from "./Legend.ts"
import * as Numeral from "./Numeral.ts"
import { type Column, type Difference, groups, type Row, significance, type Table } from "./Table.ts"

/**
 * What the numbers of a table support, and what not, in plain sentences made from its statistics.
 *
 * One sentence for each group and each column where a difference to the baseline survives Holm's correction, with those that do not; one
 * for the columns where none survives; then what the number of seeds allows, and which runs are missing. Only columns with a better
 * and a worse are spoken of.
 *
 * @example
 * ```ts
 * import { Findings, Table } from "homodistil/report"
 * const findings = Findings.of(Table.make({
 *   title: "", caption: "", rowHeader: "Score", seeds: [0, 1, 2],
 *   columns: [{ id: "kl", name: "KL", unit: "nats", better: "lower", digits: 3 }],
 *   rows: [
 *     { name: "magnitude", baseline: true, cells: { kl: { values: [1.572, 1.561, 1.583] } } },
 *     { name: "sensitivity", cells: { kl: { values: [1.47, 1.466, 1.48] } } }
 *   ]
 * }))
 * assert.equal(findings[0], "KL: sensitivity is lower (better) than magnitude by 0.100 ± 0.011 nats (p < 0.001).")
 * ```
 */
export const of = (table: Table): ReadonlyArray<string> => {
  const absent = Legend.absent(table)
  if (!Legend.isCompared(table)) return absent
  if (table.seeds.length < 2)
    return ["One seed: the differences have no interval and no test, so they support no order of the rows.", ...absent]
  return [
    ...groups(table).flatMap(({ group, rows }) => {
      const lines = ofGroup(table, rows)
      return group === null ? lines : lines.map((line) => `${group}. ${line}`)
    }),
    ...power(table),
    ...absent
  ]
}

/** A row's difference to the baseline. */
interface Compared {
  readonly row: Row
  readonly pair: Difference
}

const ofGroup = (table: Table, rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const baseline = rows.find((row) => row.baseline)
  if (baseline === undefined) return []
  const perColumn = table.columns.flatMap((column, c) => {
    const compared = rows.flatMap((row): ReadonlyArray<Compared> => {
      const pair = row.cells[c]?.difference ?? null
      return pair === null ? [] : [{ row, pair }]
    })
    return column.better === "none" || compared.length === 0 ? [] : [{ column, compared }]
  })
  const seen = perColumn.filter(({ compared }) => compared.some(isSeen))
  const rest = perColumn.filter((each) => !seen.includes(each))
  const untested = rest.filter(({ compared }) => compared.every(({ pair }) => pair.pHolm === null))
  const alike = rest.filter((each) => !untested.includes(each))
  const names = (of: typeof rest): string => list(of.map(({ column }) => column.name))
  return [
    ...seen.map(({ column, compared }) => ofColumn(column, compared, baseline)),
    ...(alike.length === 0 ? [] : [`No difference from ${baseline.name} survives correction in ${names(alike)}.`]),
    ...(untested.length === 0
      ? []
      : [`Too few pairs of seeds to test any difference from ${baseline.name} in ${names(untested)}.`]),
    ...(rows.length > 2 && seen.length > 0
      ? [`Every row is tested against ${baseline.name} only: the other rows are not compared with each other.`]
      : [])
  ]
}

const isSeen = ({ pair }: Compared): boolean => pair.pHolm !== null && pair.pHolm < significance

const ofColumn = (column: Column, compared: ReadonlyArray<Compared>, baseline: Row): string => {
  const clause = (way: "lower" | "higher"): ReadonlyArray<string> => {
    const rows = compared.filter((each) => isSeen(each) && each.pair.mean < 0 === (way === "lower"))
    const judged = `${way} (${way === column.better ? "better" : "worse"}) than ${baseline.name}`
    const [first, ...others] = rows.map(
      ({ row, pair }) =>
        [
          row.name,
          `by ${Legend.size(pair.mean, pair.halfWidth, column.digits, column.unit)} (${Numeral.pValue(pair.pHolm ?? 1)})`
        ] as const
    )
    return first === undefined
      ? []
      : [list([`${first[0]} is ${judged} ${first[1]}`, ...others.map(([name, by]) => `${name} ${by}`)])]
  }
  const rest = compared.filter((each) => !isSeen(each)).map(({ row, pair }) => `${row.name} (${reason(pair)})`)
  const seen = clause(column.better === "higher" ? "higher" : "lower")
  const worse = clause(column.better === "higher" ? "lower" : "higher")
  return `${column.name}: ${[
    ...seen,
    ...worse,
    ...(rest.length === 0 ? [] : [`no difference survives correction for ${list(rest)}`])
  ].join("; ")}.`
}

const reason = ({ pHolm, count }: Difference): string =>
  pHolm === null ? `${count} ${count === 1 ? "pair" : "pairs"}, untested` : Numeral.pValue(pHolm)

/** What so few seeds can and cannot show. */
const power = (table: Table): ReadonlyArray<string> => {
  const n = table.seeds.length
  return 2 / 2 ** n >= significance
    ? [
        `With ${n} seeds the exact sign-flip test cannot reach 0.05 (its least is ${Legend.leastSignFlip(table)}): the p-values here are ` +
          `the paired t-test's, which takes the differences for normally distributed.`
      ]
    : []
}

/** `a, b and c`. */
const list = (items: ReadonlyArray<string>): string =>
  items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1) ?? ""}`
