import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { philox4x32 } from "homodistil/spec"
import * as Philox from "../../src/spec/philox.ts"

describe("Philox", () => {
  // the known answers that come with Random123 (Salmon et al. 2011), philox4x32 of 10 rounds
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]
    ]
  ] as const)("gives the known answer for %j under %j", (counter, key, answer) =>
    assert.deepStrictEqual(philox4x32(counter, key), answer)
  )

  it("multiplies as whole numbers do: one round against big integers", () =>
    fc.assert(
      fc.property(fc.tuple(...Array.from({ length: 6 }, () => fc.nat({ max: 0xffffffff }))), (words) => {
        const [c0 = 0, c1 = 0, c2 = 0, c3 = 0, k0 = 0, k1 = 0] = words
        let c = [c0, c1, c2, c3].map((n) => BigInt(n))
        let k = [k0, k1].map((n) => BigInt(n))
        const word = 0xffffffffn
        for (let round = 0; round < 10; round++) {
          const [a, b] = [0xd2511f53n * (c[0] ?? 0n), 0xcd9e8d57n * (c[2] ?? 0n)]
          c = [(b >> 32n) ^ (c[1] ?? 0n) ^ (k[0] ?? 0n), b & word, (a >> 32n) ^ (c[3] ?? 0n) ^ (k[1] ?? 0n), a & word]
          k = [((k[0] ?? 0n) + 0x9e3779b9n) & word, ((k[1] ?? 0n) + 0xbb67ae85n) & word]
        }
        assert.deepStrictEqual(
          [...philox4x32([c0, c1, c2, c3], [k0, k1])],
          c.map((n) => Number(n))
        )
      })
    ))

  it("has streams of which a shorter one is the beginning of a longer one", () =>
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 30 }), fc.nat({ max: 30 }), (key, a, b) =>
        assert.deepStrictEqual(Philox.words(key, 7, a + b).slice(0, a), Philox.words(key, 7, a))
      )
    ))
})
