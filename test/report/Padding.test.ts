import { expect, it } from "vitest"
import { Padding } from "../../src/report/index.ts"

it("padding fills up to the width that a reader sees, and never cuts", () => {
  expect(Padding.length("e\u0301a")).toBe(2)
  expect([Padding.end("ab", 4), Padding.start("ab", 4), Padding.end("abc", 2)]).toEqual(["ab  ", "  ab", "abc"])
})
