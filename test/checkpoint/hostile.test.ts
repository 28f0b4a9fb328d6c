import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { damaged, survives } from "./hostile.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-hostile-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("a directory that was damaged", () => {
  it("gives a model or a typed error that names the file", async () => {
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(damaged, async ({ files }) => {
        seen.add(await survives(join(folder, "x"), files))
      }),
      { numRuns: 300 }
    )
    assert.deepStrictEqual([...seen].toSorted(), ["read", "refused"])
  })
})
