import * as Findings from "./Findings.ts"
import * as Grid from "./Grid.ts"
import * as Legend from "./Legend.ts"
import type { Table } from "./Table.ts"
import * as TextTable from "./TextTable.ts"

/**
 * A table as a piece of HTML: means, paired differences, what they support, notes, and every statistic and value under Detail.
 *
 * `id` begins the ids of its anchors. A mean leads to its values, a value to its cell.
 *
 * @example
 * ```ts
 * import { Html, Table } from "homodistil/report"
 * const html = Html.render(Table.make({
 *   title: "Table 6", caption: "", rowHeader: "Score", seeds: [0],
 *   columns: [{ id: "kl", name: "KL", better: "lower", digits: 1 }],
 *   rows: [{ name: "a < b", cells: { kl: { values: [1] } }, runs: [{ key: "k", href: "runs/k" }] }]
 * }), "table6")
 * assert.match(html, /a &lt; b/)
 * assert.match(html, /<a href="runs\/k" title="k">1\.0<\/a>/)
 * ```
 */
export const render = (table: Table, id: string): string => {
  const findings = Findings.of(table)
  return blocks([
    paragraph(table.caption),
    draw(Grid.means(table), id),
    paragraph(Legend.means(table)),
    ...(Legend.isCompared(table)
      ? [paragraph(Legend.differences(table)), draw(Grid.differences(table), id), paragraph(Legend.tests(table))]
      : []),
    findings.length === 0 ? "" : `<h3>What the numbers support</h3>\n${bullets(findings)}`,
    table.notes.length === 0 ? "" : `<h3>Notes</h3>\n${bullets(table.notes)}`,
    details("Detail: every statistic, and every value with its cell", [
      draw(Grid.statistics(table), id),
      paragraph(Legend.statistics),
      draw(Grid.values(table), id, true)
    ]),
    provenance(table.provenance)
  ])
}

/** A table of texts as a piece of HTML. */
export const renderText = (table: TextTable.TextTable, id: string): string =>
  blocks([
    paragraph(table.caption),
    draw(TextTable.grid(table), id),
    bullets(table.notes ?? []),
    provenance(table.provenance ?? [])
  ])

const blocks = (parts: ReadonlyArray<string>): string => parts.filter((part) => part !== "").join("\n")

const paragraph = (text: string): string => (text === "" ? "" : `<p>${escape(text)}</p>`)

/** Texts as a list; nothing without any. */
export const bullets = (lines: ReadonlyArray<string>): string =>
  lines.length === 0 ? "" : `<ul>\n${lines.map((line) => `<li>${escape(line)}</li>`).join("\n")}\n</ul>`

/** Blocks folded away under a summary. */
export const details = (summary: string, inner: ReadonlyArray<string>): string =>
  `<details><summary>${escape(summary)}</summary>\n${blocks(inner)}\n</details>`

const provenance = (lines: ReadonlyArray<string>): string =>
  lines.length === 0 ? "" : details("Provenance", [bullets(lines)])

/** A grid as a table in a box that scrolls sideways; among values, the first line of each row is what its means lead to. */
const draw = ({ heads, lines }: Grid.Grid, id: string, areValues = false): string => {
  const side = (c: number) => (heads[c]?.side === "right" ? ' class="n"' : "")
  const anchor = (row: number) => `${id}-row-${row}`
  const cell = ({ text, bold, run, of }: Grid.Entry, c: number): string => {
    const tag = c === 0 ? "th" : "td"
    const attributes = `${c === 0 ? ' scope="row"' : side(c)}${areValues && of !== undefined ? ` id="${escape(anchor(of))}"` : ""}`
    const words = bold === true ? `<b>${escape(text)}</b>` : escape(text)
    const target = run?.href ?? (areValues || of === undefined || text === Grid.nothing ? undefined : `#${anchor(of)}`)
    const title = run === undefined ? "" : ` title="${escape(run.key)}"`
    const linked = target === undefined ? words : `<a href="${escape(target)}"${title}>${words}</a>`
    return `<${tag}${attributes}>${linked}</${tag}>`
  }
  const top = heads.map(
    ({ name, below }, c) =>
      `<th scope="col"${side(c)}>${escape(name)}${below === undefined ? "" : ` <small>${escape(below)}</small>`}</th>`
  )
  const body = lines.map((line) =>
    "section" in line
      ? `<tr class="group"><th colspan="${heads.length}" scope="rowgroup">${escape(line.section)}</th></tr>`
      : `<tr>${line.entries.map(cell).join("")}</tr>`
  )
  return `<div class="wide"><table>\n<thead><tr>${top.join("")}</tr></thead>\n<tbody>\n${body.join("\n")}\n</tbody>\n</table></div>`
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

/**
 * A text as HTML shows it, in an element or an attribute.
 *
 * @example
 * ```ts
 * import { Html } from "homodistil/report"
 * assert.equal(Html.escape('<b> & "c"'), "&lt;b&gt; &amp; &quot;c&quot;")
 * ```
 */
export const escape = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character)
