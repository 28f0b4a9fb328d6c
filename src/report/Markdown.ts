import { Digest } from "../spec/index.ts"
import * as Findings from "./Findings.ts"
import * as Grid from "./Grid.ts"
import * as Legend from "./Legend.ts"
import * as Padding from "./Padding.ts"
import type { Run, Table } from "./Table.ts"
import * as TextTable from "./TextTable.ts"

/** How much of a table is shown. */
export interface MarkdownOptions {
  /** Every statistic and every value with a link to its cell, folded away under the table; shown unless `false`. */
  readonly detail?: boolean
}

/**
 * The table as GitHub Markdown: means with 95 % intervals, paired differences to the baseline, what they support, notes, provenance, and
 * every statistic and value under Detail.
 *
 * Columns are padded, so the text is also readable as it is. Bold marks a column's best mean where its paired difference to
 * the baseline survives Holm's correction.
 *
 * @example
 * ```ts
 * import { Markdown, Table } from "homodistil/report"
 * const text = Markdown.render(Table.make({
 *   title: "Table 6", caption: "", rowHeader: "Score", seeds: [0, 1],
 *   columns: [{ id: "kl", name: "KL", unit: "nats", better: "lower", digits: 2 }],
 *   rows: [{ name: "random", cells: { kl: { values: [1.5, 1.6] } } }]
 * }))
 * assert.match(text, /\| random +\| 1\.55 ± 0\.64 \|/)
 * ```
 */
export const render = (table: Table, { detail = true }: MarkdownOptions = {}): string => {
  const compared = Legend.isCompared(table)
  const findings = Findings.of(table)
  return document([
    `## ${oneLine(table.title)}`,
    oneLine(table.caption),
    draw(Grid.means(table)),
    Legend.means(table),
    ...(compared
      ? [oneLine(Legend.differences(table)), draw(Grid.differences(table)), detail ? Legend.tests(table) : ""]
      : []),
    findings.length === 0 ? "" : "What the numbers support:",
    bullets(findings),
    table.notes.length === 0 ? "" : "Notes:",
    bullets(table.notes),
    ...(detail ? details(table) : []),
    ...provenance(table.provenance)
  ])
}

/** A table of texts as GitHub Markdown. */
export const renderText = (table: TextTable.TextTable): string =>
  document([
    `## ${oneLine(table.title)}`,
    oneLine(table.caption),
    draw(TextTable.grid(table)),
    bullets(table.notes ?? []),
    ...provenance(table.provenance ?? [])
  ])

const document = (blocks: ReadonlyArray<string>): string => `${blocks.filter((block) => block !== "").join("\n\n")}\n`

const details = (table: Table): ReadonlyArray<string> => [
  "<details><summary>Detail: every statistic, and every value with its cell</summary>",
  draw(Grid.statistics(table)),
  Legend.statistics,
  draw(Grid.values(table)),
  links(table),
  "</details>"
]

/** What the linked values refer to. */
const links = ({ rows }: Table): string =>
  [
    ...new Map(
      rows.flatMap(({ runs }) =>
        runs.flatMap((run) =>
          run.href === undefined ? [] : [[label(run), `[${label(run)}]: <${run.href}> "${run.key}"`]]
        )
      )
    ).values()
  ].join("\n")

const label = ({ key }: Run): string => Digest.short(key)

const provenance = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["<sub>Provenance</sub>", bullets(lines)]

const bullets = (lines: ReadonlyArray<string>): string => lines.map((line) => `- ${oneLine(line)}`).join("\n")

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim()

const escape = (text: string): string => oneLine(text).replaceAll("\\", "\\\\").replaceAll("|", "\\|")

const entryText = ({ text, bold, run }: Grid.Entry): string => {
  const linked = run?.href === undefined ? escape(text) : `[${escape(text)}][${label(run)}]`
  return bold === true ? `**${linked}**` : linked
}

/** A grid as an aligned table; its sections are rows with only a name, in italics. */
const draw = ({ heads, lines }: Grid.Grid): string => {
  const rows = [
    heads.map(({ name, below }) => escape(below === undefined ? name : `${name} ${below}`)),
    ...lines.map((line) =>
      "section" in line
        ? heads.map((_, c) => (c === 0 ? `*${escape(line.section)}*` : ""))
        : line.entries.map(entryText)
    )
  ]
  const widths = heads.map((_, c) => Math.max(...rows.map((row) => Padding.length(row[c] ?? ""))))
  const isLeft = heads.map(({ side }) => side === "left")
  const line = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`
  const [top = "", ...body] = rows.map((row) =>
    line(row.map((text, c) => (isLeft[c] === true ? Padding.end : Padding.start)(text, widths[c] ?? 0)))
  )
  const rule = line(widths.map((width, c) => (isLeft[c] === true ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)))
  return [top, rule, ...body].join("\n")
}
