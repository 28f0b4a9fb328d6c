import { describe, expect, it } from "vitest"
import { parse } from "../../bench/Options.ts"

const options = (...args: ReadonlyArray<string>) => {
  const parsed = parse(args)
  if (!("options" in parsed)) throw new Error(JSON.stringify(parsed))
  return parsed.options
}

describe("Options", () => {
  it("measures everything unless asked for less", () => {
    const { cases, shapes, threads } = options()
    expect([cases.length, shapes.length, threads]).toEqual([5, 4, 2])
    const some = options("--cases", "a,b", "--shapes", "6x384", "--widths", "0.5")
    expect([some.cases, some.shapes.map(({ name }) => name), some.widths]).toEqual([["a", "b"], ["6x384"], [0.5]])
  })

  it("runs whole runs less often than steps", () => {
    expect(options().runRounds).toBe(3)
    expect(options("--quick").runRounds).toBe(1)
    expect(options("--rounds", "7").runRounds).toBe(7)
  })

  it("names every mistake", () => {
    const parsed = parse(["--cases", "a,z", "--shapes", "big", "--rounds", "0"])
    expect(parsed).toHaveProperty("problems.length", 3)
    expect(parse(["--fast"])).toHaveProperty("problems.length", 1)
  })

  it("explains itself", () => {
    expect(parse(["--help"])).toHaveProperty("help")
  })
})
