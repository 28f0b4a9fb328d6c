import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Latex, Table } from "../../src/report/index.ts"
import { golden } from "../golden/golden.ts"
import { awkward, table1, table3, table6 } from "./samples.ts"

const every = [...[table3, table6, awkward].map((input) => Latex.render(Table.make(input))), Latex.renderText(table1)]

/** What LaTeX would set, with formulas, commands and groups left as they are, must keep every group and formula closed. */
const isBalanced = (text: string): boolean => {
  let depth = 0
  const bare = text.replaceAll(/\\[\\{}$&%#_]/g, "")
  for (const character of bare) {
    if (character === "{") depth++
    if (character === "}") depth--
    if (depth < 0) return false
  }
  return depth === 0 && (bare.match(/\$/g) ?? []).length % 2 === 0
}

const alphabetically = (a: string, b: string) => (a < b ? -1 : 1)

const hasLatex = spawnSync("pdflatex", ["--version"]).status === 0

/** Compiles a document in a folder of its own; its log where that fails. */
const compile = (text: string): string => {
  const folder = mkdtempSync(join(tmpdir(), "latex-"))
  try {
    writeFileSync(join(folder, "all.tex"), text)
    const options = ["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "all.tex"]
    const { status, stdout } = spawnSync("pdflatex", options, { cwd: folder, encoding: "utf8", timeout: 60_000 })
    return status === 0 && existsSync(join(folder, "all.pdf")) ? "" : stdout
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Texts with everything that LaTeX takes for something else, and characters it may not know. */
const awkwardText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      ...Array.from(
        "\\{}$&%#_^~<>|\"'`-,[]*?!@ ±×−‖↓↑→≤≥≠∞√∂·°²³–—…‘’“”§αβγδελμµσχτΣΔäßéøÅÐþŁ中😀\u00a0\t\n\u200b\u0301"
      )
    ),
    fc.constantFrom("a", "B", "9")
  ),
  maxLength: 30
})

describe("LaTeX", () => {
  it("groups and published figures", () => golden("table3.tex", Latex.render(Table.make(table3))))
  it("awkward cases", () => golden("awkward.tex", Latex.render(Table.make(awkward))))
  it("a table of texts", () => golden("table1.tex", Latex.renderText(table1)))

  it("closes what it opens, and has as many fields in each line as columns", () => {
    for (const text of every) {
      expect(isBalanced(text.replaceAll(/^%.*$/gm, "").replaceAll(/\{%$/gm, "{"))).toBe(true)
      const opened = [...text.matchAll(/\\begin\{(\w+)\}/g)].map(([, name = ""]) => name).toSorted(alphabetically)
      expect([...text.matchAll(/\\end\{(\w+)\}/g)].map(([, name = ""]) => name).toSorted(alphabetically)).toEqual(
        opened
      )
      for (const [, columns = "", body = ""] of text.matchAll(
        /\\begin\{tabular\}\{@\{\}([lr]+)@\{\}\}\n\\toprule([\s\S]*?)\\bottomrule/g
      ))
        for (const line of body
          .split("\n")
          .filter((each) => each.endsWith("\\\\") && !each.startsWith("\\multicolumn")))
          expect(line.match(/(?<!\\)&/g)?.length).toBe(columns.length - 1)
    }
  })

  it("escapes any text into balanced ASCII and Latin letters", () =>
    fc.assert(
      fc.property(fc.oneof(awkwardText, fc.string({ unit: "binary" })), (text) => {
        const escaped = Latex.escape(text)
        expect(escaped).toMatch(/^[\u0020-\u007eÀ-ÿ]*$/)
        expect(isBalanced(escaped)).toBe(true)
        // what LaTeX acts on is either escaped or a part of what was put in for it
        expect(escaped.replaceAll(/\$\\?[\w<>|^-]+( ?\\\w+)?\$|\\[a-zA-Z]+\{\}|\\[{}$&%#_]/g, "")).not.toMatch(
          /[\\$&%#_^"<>|]/
        )
      })
    ))

  it.skipIf(!hasLatex)("compiles: every sample, and any text", { timeout: 120_000 }, () => {
    const texts = fc.sample(awkwardText, { numRuns: 60, seed: 5 }).map((text) => `x ${Latex.escape(text)}\\par`)
    expect(compile(Latex.document([...every, texts.join("\n")]))).toBe("")
  })
})
