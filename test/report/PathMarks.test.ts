import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { PathMarks } from "../../src/report/index.ts"

describe("the parts of a path", () => {
  const falling = fc
    .array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 12 })
    .map((xs) => xs.toSorted((a, b) => b - a).map((x, step) => ({ x, step })))

  it("meet where the path arrives, and are the whole path", () =>
    fc.assert(
      fc.property(falling, (points) => {
        const { across, arrived } = PathMarks.parts(points)
        expect([...across.slice(0, -1), ...arrived]).toEqual(points)
        expect(new Set(arrived.map(({ x }) => x)).size).toBe(1)
        if (across.length > 0) expect(across.at(-1)).toBe(arrived[0])
        for (const { x } of across.slice(0, -1)) expect(x).toBeGreaterThan(arrived[0]?.x ?? 0)
      })
    ))

  it("have a mark for what there is", () => {
    const encodings = { x: {}, y: {}, color: {} }
    const at = (x: number) => ({ series: "a", x, mean: 1, low: 0, high: 2 })
    expect(PathMarks.layers([], encodings)).toHaveLength(2)
    expect(PathMarks.layers([at(100), at(25)], encodings)).toHaveLength(5)
    expect(PathMarks.layers([at(100), at(25), at(25)], encodings)).toHaveLength(6)
    expect(PathMarks.strip(2)).toBeGreaterThan(PathMarks.strip(1))
  })
})
