import { assert, describe, it } from "@effect/vitest"
import { Listing } from "homodistil/report"

const table = () => ({ title: "Table 1", caption: "", rowHeader: "Model", columns: [], rows: [] })

describe("Listing", () => {
  it("is told from an experiment and from anything else", () => {
    assert.isTrue(Listing.isListing(Listing.make({ name: "table1", title: "Table 1", table })))
    for (const other of [undefined, null, 3, "table1", {}, { name: "x", title: "y" }, { name: 1, title: "y", table }])
      assert.isFalse(Listing.isListing(other))
  })
})
