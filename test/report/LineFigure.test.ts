import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Statistics } from "../../src/experiment/index.ts"
import { LineFigure, Svg } from "../../src/report/index.ts"
import { golden } from "../golden/golden.ts"
import { figure3 } from "./samples.ts"
import { overlaps, textBoxes } from "./textBoxes.ts"

const draw = (figure: LineFigure.LineFigure) => Effect.runPromise(Svg.render(LineFigure.spec(figure)))

describe("the drawing", () => {
  it("Figure 3", async () => golden("figure3.svg", await draw(figure3)))

  it("labels each series once, with nothing over anything", async () => {
    const boxes = textBoxes(await draw(figure3))
    for (const { name } of figure3.panels[0]?.series ?? [])
      expect(boxes.filter(({ text }) => text === name)).toHaveLength(1)
    expect(boxes.map(({ text }) => text)).toContain("pruning ends (step 280)")
    expect(overlaps(boxes)).toEqual([])
  })

  it("keeps eight lines that end in one place apart, and all text inside the picture", async () => {
    const series = Array.from({ length: 8 }, (_, i) => ({
      name: `a rather long method name, number ${i}`,
      points: [0, 1000].map((step) => ({ step, values: [step === 0 ? i : 1, step === 0 ? i : 1.001] }))
    }))
    const svg = await draw({ title: "Many lines", subtitle: [], panels: [{ title: "KL (nats)", series, height: 160 }] })
    const [, width = 0, height = 0] = (/width="(\d+)" height="(\d+)"/.exec(svg) ?? []).map(Number)
    const boxes = textBoxes(svg)
    expect(boxes.filter(({ text }) => text.startsWith("a rather"))).toHaveLength(8)
    expect(overlaps(boxes)).toEqual([])
    for (const { left, right, top, bottom } of boxes) {
      expect(left).toBeGreaterThanOrEqual(0)
      expect(top).toBeGreaterThanOrEqual(0)
      expect(right).toBeLessThanOrEqual(width)
      expect(bottom).toBeLessThanOrEqual(height)
    }
  })

  it.each([
    ["all zero", [0, 0]],
    ["two seeds far apart", [1, 9]]
  ])("draws %s inside the panel", async (_, values) => {
    const series = [{ name: "a", points: [0, 10].map((step) => ({ step, values })) }]
    const svg = await draw({ title: "t", subtitle: [], panels: [{ title: "KL (nats)", series, height: 100 }] })
    const [, area = ""] =
      /aria-roledescription="area[^>]*>\s*<path d="([^"]*)"|mark-area[^>]*>\s*<path d="([^"]*)"/
        .exec(svg)
        ?.filter(Boolean) ?? []
    const heights = [...area.matchAll(/,(-?[\d.]+)/g)].map(([, y]) => Number(y))
    expect(heights.length).toBeGreaterThan(3)
    expect(Math.min(...heights)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...heights)).toBeLessThanOrEqual(100)
  })

  it("notices overlapping text", async () => {
    const twice = { x: { value: 10 }, y: { value: 10 }, text: { value: "the same place" } }
    const svg = await Effect.runPromise(Svg.render({ data: { values: [{}, {}] }, mark: "text", encoding: twice }))
    expect(overlaps(textBoxes(svg))).toHaveLength(1)
  })
})

describe("bands", () => {
  it("are the interval of each step, and only the mean of a single seed", () =>
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 9, noNaN: true }), { maxLength: 5 }), (values) => {
        const [band] = LineFigure.bands({ name: "a", points: [{ step: 3, values: [...values, NaN] }] })
        const summary = values.length === 0 ? undefined : Statistics.summary(values)
        const { low, high } = summary?.interval ?? { low: summary?.mean, high: summary?.mean }
        expect(band).toEqual(summary && { series: "a", step: 3, x: 3, mean: summary.mean, low, high })
      })
    ))
})

describe("dodge", () => {
  const wanted = fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { maxLength: 12 })

  it("keeps the gap, the order and the panel", () =>
    fc.assert(
      fc.property(wanted, (places) => {
        const placed = LineFigure.dodge(places, 16, 300)
        const pairs = places.map((at, i) => ({ at, placed: placed[i] ?? NaN })).toSorted((a, b) => a.placed - b.placed)
        pairs.forEach((pair, i) => {
          const next = pairs[i + 1]
          expect(pair.placed).toBeGreaterThanOrEqual(0)
          expect(pair.placed).toBeLessThanOrEqual(300)
          if (next === undefined) return
          expect(next.placed - pair.placed).toBeGreaterThanOrEqual(16 - 1e-9)
          expect(next.at).toBeGreaterThanOrEqual(pair.at)
        })
      })
    ))

  it("leaves labels that are apart where they are", () =>
    fc.assert(
      fc.property(wanted, (places) => {
        const apart = LineFigure.dodge(places, 20, 300)
        LineFigure.dodge(apart, 16, 300).forEach((at, i) => expect(at).toBeCloseTo(apart[i] ?? NaN, 9))
      })
    ))

  it("moves no label further than any other way would on the whole (two labels)", () =>
    fc.assert(
      fc.property(
        fc.double({ min: 50, max: 250, noNaN: true }),
        fc.double({ min: -8, max: 8, noNaN: true }),
        (a, off) => {
          const placed = LineFigure.dodge([a, a + off], 16, 300)
          const middle = a + off / 2
          placed.forEach((at) => expect(Math.abs(at - middle)).toBeCloseTo(8, 9))
        }
      )
    ))
})
