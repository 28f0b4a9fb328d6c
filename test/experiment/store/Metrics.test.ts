import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { keptOf } from "../../../src/experiment/store/Metrics.ts"
import { Digest } from "homodistil/spec"

describe("Metrics", () => {
  it("takes metrics up again only as they were", () =>
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 50 }),
        fc.uint8Array({ maxLength: 9 }),
        fc.nat(),
        (kept, more, place) => {
          const extent = { bytes: kept.length, sha256: Digest.ofBytes(kept) }
          const file = Uint8Array.from([...kept, ...more])
          const again = keptOf(file, extent)
          assert.strictEqual(again?.bytes, kept.length)
          assert.strictEqual(again?.hash.update(more).digest("hex"), Digest.ofBytes(file))
          const at = place % kept.length
          assert.isUndefined(
            keptOf(
              file.map((byte, i) => (i === at ? byte ^ 1 : byte)),
              extent
            )
          )
          assert.isUndefined(keptOf(kept.subarray(0, at), extent))
        }
      )
    ))
})
