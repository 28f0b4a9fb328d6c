import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { damaged, survives } from "../checkpoint/hostile.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-hostile-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("ten thousand directories that were damaged", () => {
  it("give a model or a typed error each", () =>
    fc.assert(
      fc.asyncProperty(damaged, async ({ files }) => {
        await survives(join(folder, "x"), files)
      }),
      { numRuns: 10_000 }
    ))
})
