import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { LineFigure, Svg } from "../../src/report/index.ts"
import { figure3 } from "./samples.ts"

const contrast = (color: string): number => {
  const channel = (at: number) => {
    const c = parseInt(color.slice(at, at + 2), 16) / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  }
  return 1.05 / (0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5) + 0.05)
}

describe("SVG", () => {
  const spec = LineFigure.spec(figure3)

  it("is the same text every time, clip paths and all", async () => {
    const clipped = {
      data: { values: [{ x: 1 }] },
      mark: { type: "point" as const, clip: true },
      encoding: { x: { field: "x" } }
    }
    for (const each of [spec, clipped]) {
      const first = await Effect.runPromise(Svg.render(each))
      expect(await Effect.runPromise(Svg.render(each))).toBe(first)
    }
  })

  it("opens and closes every element, and names no place outside itself but name spaces", async () => {
    const svg = await Effect.runPromise(Svg.render(spec))
    const open: Array<string> = []
    for (const [, close, name = "", , self] of svg.matchAll(/<(\/?)([a-z]\w*)((?:"[^"]*"|[^"/>])*)(\/?)>/gi)) {
      if (close === "/") expect(open.pop()).toBe(name)
      else if (self !== "/") open.push(name)
    }
    expect(open).toEqual([])
    expect(svg.replaceAll(/xmlns(:\w+)?="[^"]*"/g, "")).not.toMatch(/https?:|NaN|undefined/)
  })

  it("rounds to hundredths", async () => {
    expect(await Effect.runPromise(Svg.render(spec))).not.toMatch(/\d\.\d{3}/)
  })

  it("has colours that can be read as text on white (WCAG, large or bold text)", () => {
    for (const color of [...Svg.palette, Svg.grey]) expect(contrast(color)).toBeGreaterThan(3)
  })

  it("measures text: longer, larger and bolder is wider", () => {
    expect(Svg.textWidth("", 12, false)).toBe(0)
    expect(Svg.textWidth("PLATON", 12, true)).toBeGreaterThan(Svg.textWidth("PLATON", 12, false))
    // Adobe's metrics of Helvetica: P .667 L .556 A .667 T .611 O .778 N .722
    expect(Svg.textWidth("PLATON", 1000, false) / 4001).toBeCloseTo(1, 1)
    // s .500 e .556 n .556 s .500 i .222 t .278 i .222 v .500 i .222 t .278 y .500
    expect(Svg.textWidth("sensitivity", 1000, false) / 4334).toBeCloseTo(1, 0)
  })
})
