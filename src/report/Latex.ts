import * as Findings from "./Findings.ts"
import * as Grid from "./Grid.ts"
import * as Legend from "./Legend.ts"
import type { Table } from "./Table.ts"
import * as TextTable from "./TextTable.ts"

/**
 * The table for LaTeX with booktabs, to be taken into a paper by `\input`: means, paired differences, how they are to be read and what
 * they support. It needs `booktabs` and `graphicx`, and shrinks to the width of the text where it is wider.
 *
 * The keys of the cells are in comments at its end.
 *
 * @example
 * ```ts
 * import { Latex, Table } from "homodistil/report"
 * const text = Latex.render(Table.make({
 *   title: "Table 6", caption: "", rowHeader: "Score", seeds: [0, 1],
 *   columns: [{ id: "acc", name: "Accuracy", unit: "%", better: "higher", digits: 1 }],
 *   rows: [{ name: "95 % random", cells: { acc: { values: [50, 50] } } }]
 * }))
 * assert.match(text, /95 \\% random & 50\.0 \$\\pm\$ 0\.0 \\\\/)
 * ```
 */
export const render = (table: Table): string =>
  float(table, [
    tabular(Grid.means(table)),
    paragraph(Legend.means(table)),
    ...(Legend.isCompared(table)
      ? [paragraph(Legend.differences(table)), tabular(Grid.differences(table)), paragraph(tested(table))]
      : []),
    ...[...Findings.of(table), ...table.notes].map(paragraph)
  ]) + comments(table)

/** A table of texts for LaTeX with booktabs. */
export const renderText = (table: TextTable.TextTable): string =>
  float(table, [tabular(TextTable.grid(table)), ...(table.notes ?? []).map(paragraph)]) +
  commented(table.provenance ?? [])

/**
 * A whole document of such tables, each on a page of its own, for pdfLaTeX.
 *
 * @example
 * ```ts
 * import { Latex } from "homodistil/report"
 * assert.match(Latex.document(["\\input{table6/table.tex}"]), /^\\documentclass[\s\S]+\\input\{table6[\s\S]+\\end\{document\}\n$/)
 * ```
 */
export const document = (tables: ReadonlyArray<string>): string =>
  [
    "\\documentclass{article}",
    "\\usepackage[margin=2cm,landscape]{geometry}",
    "\\usepackage{booktabs}",
    "\\usepackage{graphicx}",
    "\\begin{document}",
    tables.join("\n\\clearpage\n"),
    "\\end{document}",
    ""
  ].join("\n")

const tested = (table: Table): string => Legend.tests(table).replace(/; uncorrected .+$/, ".")

const float = ({ title, caption }: Pick<Table, "title" | "caption">, blocks: ReadonlyArray<string>): string =>
  [
    "% needs \\usepackage{booktabs} and \\usepackage{graphicx}",
    "\\begin{table}[tbp]",
    "\\centering",
    `\\caption{${[unnumbered(title), caption]
      .filter((text) => text !== "")
      .map(escape)
      .join(". ")}}`,
    ...blocks.filter((block) => block !== ""),
    "\\end{table}",
    ""
  ].join("\n")

/** A title without its number: LaTeX counts by itself. */
const unnumbered = (title: string): string => title.replace(/^(?:Table|Figure) \d+: /, "")

const paragraph = (text: string): string =>
  text === "" ? "" : `\\par\\smallskip\\parbox{\\linewidth}{\\footnotesize ${escape(text)}}`

const tabular = ({ heads, lines }: Grid.Grid): string => {
  const columns = heads.map(({ side }) => (side === "left" ? "l" : "r")).join("")
  const titles = heads.map(({ name, below, side }) => {
    const under = below === undefined ? "" : `\\\\${escape(below)}`
    return `\\begin{tabular}[b]{@{}${side === "left" ? "l" : "r"}@{}}${escape(name)}${under}\\end{tabular}`
  })
  const body = lines.map((line) =>
    "section" in line
      ? `\\addlinespace\n\\multicolumn{${heads.length}}{@{}l}{\\textit{${escape(line.section)}}} \\\\`
      : `${line.entries.map(({ text, bold }) => (bold === true ? `\\textbf{${escape(text)}}` : escape(text))).join(" & ")} \\\\`
  )
  return [
    "\\par\\medskip",
    "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%",
    `\\begin{tabular}{@{}${columns}@{}}`,
    "\\toprule",
    `${titles.join(" & ")} \\\\`,
    "\\midrule",
    ...body,
    "\\bottomrule",
    "\\end{tabular}}"
  ].join("\n")
}

/** Keys of cells and provenance, where LaTeX does not read them. */
const comments = (table: Table): string =>
  commented([
    ...table.rows.flatMap((row) =>
      row.runs.map(({ key }, s) => `${Legend.full(row)}, seed ${table.seeds[s] ?? ""}: ${key}`)
    ),
    ...table.provenance
  ])

const commented = (lines: ReadonlyArray<string>): string =>
  lines.map((line) => `% ${line.replaceAll(/\s+/g, " ")}\n`).join("")

const symbols: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  $: "\\$",
  "&": "\\&",
  "%": "\\%",
  "#": "\\#",
  _: "\\_",
  "^": "\\textasciicircum{}",
  "~": "\\textasciitilde{}",
  "<": "$<$",
  ">": "$>$",
  "|": "$|$",
  '"': "''",
  "[": "{[}",
  "]": "{]}",
  "*": "{*}",
  "\u00a0": "~",
  "±": "$\\pm$",
  "×": "$\\times$",
  "÷": "$\\div$",
  "−": "$-$",
  "·": "$\\cdot$",
  "‖": "$\\Vert$",
  "↓": "$\\downarrow$",
  "↑": "$\\uparrow$",
  "→": "$\\to$",
  "←": "$\\gets$",
  "≤": "$\\le$",
  "≥": "$\\ge$",
  "≠": "$\\ne$",
  "≈": "$\\approx$",
  "∞": "$\\infty$",
  "√": "$\\surd$",
  "∂": "$\\partial$",
  Σ: "$\\Sigma$",
  Δ: "$\\Delta$",
  "°": "$^\\circ$",
  "²": "$^2$",
  "³": "$^3$",
  "–": "--",
  "—": "---",
  "…": "\\dots{}",
  "‘": "`",
  "’": "'",
  "“": "``",
  "”": "''",
  "§": "\\S{}",
  α: "$\\alpha$",
  β: "$\\beta$",
  γ: "$\\gamma$",
  δ: "$\\delta$",
  ε: "$\\epsilon$",
  λ: "$\\lambda$",
  μ: "$\\mu$",
  µ: "$\\mu$",
  σ: "$\\sigma$",
  τ: "$\\tau$",
  χ: "$\\chi$"
}

/**
 * A text as LaTeX sets it in words: every special character escaped, symbols as formulas, and a character that pdfLaTeX lacks as its
 * number, `[U+4E2D]`.
 *
 * @example
 * ```ts
 * import { Latex } from "homodistil/report"
 * assert.equal(Latex.escape("5 % of x_1 → 中"), "5 \\% of x\\_1 $\\to$ {[}U+4E2D{]}")
 * ```
 */
export const escape = (text: string): string =>
  Array.from(text.replaceAll(/\s+/g, " ").trim(), (character) => {
    const known = Object.hasOwn(symbols, character) ? symbols[character] : undefined
    if (known !== undefined) return known
    // ligatures would join what stands apart: -- and `` and ?` become other signs
    if (character === "-" || character === "`" || character === "'" || character === ",") return `${character}{}`
    if (/[\u0020-\u007e]|[À-ÿ]/.test(character) && !/[ÐðÞþ]/.test(character)) return character
    return `{[}U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}{]}`
  }).join("")
