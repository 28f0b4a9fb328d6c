import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { HtmlPage, ReportFiles, Svg, Table } from "../../src/report/index.ts"
import { elements } from "./elements.ts"
import { figure3, table1, table3 } from "./samples.ts"

const part = async (name: string, report: Parameters<typeof ReportFiles.render>[0]): Promise<HtmlPage.Part> => ({
  name,
  report,
  files: await Effect.runPromise(ReportFiles.render(report))
})

const page = async () => {
  const both = { table: Table.make(table3), figures: { discrepancy: figure3 } }
  const parts = [await part("table1", { text: table1 }), await part("table3", both), await part("again", both)]
  return HtmlPage.render({
    title: "Every table & figure",
    introduction: ["At micro scale."],
    parts,
    provenance: ["homodistil 0.1.0"]
  })
}

describe("the page", () => {
  it("is whole: every element closed, every id once, every place within it there", async () => {
    const html = await page()
    expect(elements(html).left).toEqual([])
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, id] of html.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(id)
    for (const name of ["table1", "table3", "again"]) expect(html).toContain(`<li><a href="#${name}">`)
  })

  it("asks for nothing from outside", async () => {
    const html = await page()
    const places = [...html.matchAll(/(?:href|src|xlink:href)="([^"]*)"/g)].map(([, place = ""]) => place)
    expect(places.filter((place) => !place.startsWith("#") && !place.startsWith("../runs/"))).toEqual([])
    expect(html.replaceAll(/xmlns(:\w+)?="[^"]*"/g, "")).not.toMatch(/https?:|@import|url\((?!#)|<script|<link|<img/)
  })

  it("draws every picture of every report", async () => {
    const { names } = elements(await page())
    expect(names.filter((name) => name === "svg")).toHaveLength(4)
    expect(names.filter((name) => name === "section")).toHaveLength(3)
  })

  it("has another colour on a dark page for each colour of the pictures", async () => {
    const html = await page()
    const colors = new Set([...html.matchAll(/(?:fill|stroke)="(#[0-9a-f]{6})"/g)].map(([, color = ""]) => color))
    expect(colors.size).toBeGreaterThan(5)
    for (const color of colors) expect(Object.keys(Svg.darker)).toContain(color)
    for (const color of [...Svg.palette, Svg.grey]) expect(Object.keys(Svg.darker)).toContain(color)
  })

  it("does not depend on when it is made", async () => {
    expect(await page()).toBe(await page())
  })
})
