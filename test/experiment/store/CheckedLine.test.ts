import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as CheckedLine from "../../../src/experiment/store/CheckedLine.ts"

const entries = fc.dictionary(fc.string({ maxLength: 5 }), fc.oneof(fc.string(), fc.integer(), fc.boolean()), {
  noNullPrototype: true,
  maxKeys: 4
})

describe("CheckedLine", () => {
  it("is an entry as one line of JSON, with a checksum as the last field", () =>
    fc.assert(
      fc.property(entries, (entry) => {
        const line = CheckedLine.of(entry)
        assert.notInclude(line, "\n")
        const value: unknown = JSON.parse(line)
        assert.deepStrictEqual(value, { ...entry, crc32: line.slice(-10, -2) })
        assert.match(line, /"crc32":"[0-9a-f]{8}"\}$/)
        assert.isTrue(CheckedLine.isWhole(line))
      })
    ))

  it("has the checksum of zip files", () => {
    // CRC-32 of the bytes "{}", by the table-free definition
    let sum = 0xffffffff
    for (const byte of new TextEncoder().encode("{}")) {
      sum ^= byte
      for (let i = 0; i < 8; i++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1
    }
    assert.strictEqual(CheckedLine.of({}), `{"crc32":"${((sum ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0")}"}`)
  })

  it("notices any flipped bit and any cut", () =>
    fc.assert(
      fc.property(entries, fc.nat(), fc.nat({ max: 7 }), (entry, place, bit) => {
        const bytes = new TextEncoder().encode(CheckedLine.of(entry))
        const at = place % bytes.length
        const flipped = bytes.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte))
        assert.isFalse(CheckedLine.isWhole(new TextDecoder().decode(flipped)))
        assert.isFalse(CheckedLine.isWhole(new TextDecoder().decode(bytes.subarray(0, at))))
      }),
      { numRuns: 500 }
    ))
})
