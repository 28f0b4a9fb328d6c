import * as fc from "fast-check"
import { expect, it } from "vitest"
import { Numeral } from "../../src/report/index.ts"

it("numbers read back within half of their last digit, and zero has no sign", () =>
  fc.assert(
    fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: 0, max: 6 }), (value, digits) => {
      const text = Numeral.fixed(value, digits)
      expect(Math.abs(Number(text.replace("−", "-")) - value)).toBeLessThanOrEqual(0.5 * 10 ** -digits + 1e-9)
      expect(text).not.toMatch(/^−[0.]*$/)
      expect(Numeral.signed(value, digits).replace("+", "")).toBe(text)
    })
  ))

it.each([
  [0.0004, "p < 0.001"],
  [0.001, "p = 0.001"],
  [0.04999, "p = 0.050"],
  [1, "p = 1.000"]
])("p-value %d is %s", (p, text) => {
  expect(Numeral.pValue(p)).toBe(text)
})

it("a mean without a spread stands alone", () => {
  expect(Numeral.plusMinus("1.5", null, 1)).toBe("1.5")
  expect(Numeral.plusMinus("1.5", 0.25, 2)).toBe("1.5 ± 0.25")
})
