import * as Html from "./Html.ts"
import type { Report } from "./Report.ts"
import { darker } from "./Svg.ts"

/** A report on a page: its place there, and its pictures as they were rendered for files. */
export interface Part {
  /** Name of the experiment; the id of its section. */
  readonly name: string
  readonly report: Report
  /** The report's files by name; those that end in `.svg` are drawn into the page. */
  readonly files: { readonly [name: string]: string }
}

/** A page of reports. */
export interface PageOptions {
  readonly title: string
  /** What the reader should know first; one paragraph each. */
  readonly introduction?: ReadonlyArray<string>
  readonly parts: ReadonlyArray<Part>
  /** Where all of it comes from. */
  readonly provenance?: ReadonlyArray<string>
}

/**
 * One page of HTML with everything in it: a table of contents, and each report with its tables, what they support, their pictures and
 * links to the cells. It asks for nothing from outside, reads on a phone, and follows the reader's choice of light or dark.
 *
 * @example
 * ```ts
 * import { HtmlPage } from "homodistil/report"
 * const text = { title: "Table 1", caption: "", rowHeader: "Model", columns: [], rows: [] }
 * const html = HtmlPage.render({ title: "All", parts: [{ name: "table1", report: { text }, files: {} }] })
 * assert.match(html, /<a href="#table1">Table 1<\/a>/)
 * ```
 */
export const render = ({ title, introduction = [], parts, provenance = [] }: PageOptions): string =>
  [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${Html.escape(title)}</title>`,
    `<style>\n${style}</style>`,
    "</head>",
    "<body>",
    `<h1>${Html.escape(title)}</h1>`,
    ...introduction.map((text) => `<p>${Html.escape(text)}</p>`),
    `<nav aria-label="Contents"><ol>\n${parts
      .map((part) => `<li><a href="#${Html.escape(part.name)}">${Html.escape(titleOf(part))}</a></li>`)
      .join("\n")}\n</ol></nav>`,
    ...parts.map(section),
    provenance.length === 0 ? "" : `<footer>\n<h2>Provenance</h2>\n${Html.bullets(provenance)}\n</footer>`,
    "</body>",
    "</html>",
    ""
  ]
    .filter((line, i, all) => line !== "" || i === all.length - 1)
    .join("\n")

const titleOf = ({ name, report }: Part): string =>
  report.table?.title ?? report.text?.title ?? Object.values(report.figures ?? {})[0]?.title ?? name

const section = (part: Part): string =>
  [
    `<section id="${Html.escape(part.name)}">`,
    `<h2>${Html.escape(titleOf(part))}</h2>`,
    ...(part.report.text === undefined ? [] : [Html.renderText(part.report.text, part.name)]),
    ...(part.report.table === undefined ? [] : [Html.render(part.report.table, part.name)]),
    ...Object.entries(part.files).flatMap(([file, text]) =>
      file.endsWith(".svg") ? [picture(`${part.name}-${file.replace(/\.svg$/, "")}`, text)] : []
    ),
    "</section>"
  ].join("\n")

/** A picture in the page: its ids begin with its name, since several pictures share one document. */
const picture = (id: string, svg: string): string =>
  `<figure id="${Html.escape(id)}">\n${svg
    .replaceAll(/\bid="([^"]+)"/g, `id="${Html.escape(id)}-$1"`)
    .replaceAll(/url\(#([^)]+)\)/g, `url(#${Html.escape(id)}-$1)`)}</figure>`

const dark = Object.entries(darker)
  .map(([light, other]) => `figure [fill="${light}"]{fill:${other}}figure [stroke="${light}"]{stroke:${other}}`)
  .join("\n")

const style = `:root{--ink:#1a1a1a;--soft:#555;--line:#d8d8d8;--ground:#fff;--band:#f5f5f5;--link:#0a5a9c}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:76rem;font:16px/1.5 system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;color:var(--ink);background:var(--ground);overflow-wrap:break-word}
h1{font-size:1.6rem;line-height:1.25}
h2{font-size:1.3rem;margin:2.5rem 0 .5rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1rem 0 .25rem}
p,ul,ol{max-width:62rem}
a{color:var(--link);text-decoration-thickness:1px;text-underline-offset:2px}
td a,th a{color:inherit;text-decoration-color:var(--line)}
summary{cursor:pointer;margin:.75rem 0;color:var(--soft)}
.wide,figure{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;margin:.75rem 0}
th,td{padding:.3rem .7rem;text-align:left;vertical-align:bottom;border-bottom:1px solid var(--line);white-space:nowrap;font-weight:normal}
thead th{border-bottom:2px solid var(--soft);white-space:normal;min-width:5rem;font-weight:600}
thead small{color:var(--soft);font-weight:normal;white-space:nowrap}
tbody th{white-space:normal;min-width:9rem}
.n{text-align:right}
.group th{font-style:italic;background:var(--band)}
figure{margin:1rem 0}
figure svg{display:block;max-width:100%;min-width:34rem;height:auto}
@media (prefers-color-scheme:dark){
:root{--ink:#e8e8e8;--soft:#a8a8a8;--line:#3a3a3a;--ground:#161616;--band:#222;--link:#7ab8f5}
${dark}
}
@media print{details{display:block}nav{display:none}}
`
