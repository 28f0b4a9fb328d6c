import { execFile } from "node:child_process"
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"

const folder = mkdtempSync(join(tmpdir(), "homodistil-text-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A file of so many different documents of ten words and `more`. */
const write = (name: string, count: number, more: string): string => {
  const file = join(folder, name)
  const descriptor = openSync(file, "w")
  for (let first = 0; first < count; first += 1000)
    writeSync(
      descriptor,
      Array.from(
        { length: 1000 },
        (_, i) => `${first + i} one two three four\nfive six seven eight nine${more}\n\n`
      ).join("")
    )
  closeSync(descriptor)
  return file
}

const Report = Schema.fromJsonString(
  Schema.Struct({ digest: Schema.String, bytes: Schema.Number, train: Schema.Number, batches: Schema.String })
)

const reading = async (file: string, heap: number) => {
  const program = fileURLToPath(new URL("readText.ts", import.meta.url))
  const options = [`--max-old-space-size=${heap}`, "--expose-gc", "-C", "homodistil-source", "--no-warnings", program]
  const { stdout } = await promisify(execFile)(process.execPath, [...options, file, join(folder, "cache")])
  return Schema.decodeUnknownSync(Report)(stdout)
}

describe("a text of many documents", () => {
  it("takes at most 20 bytes of memory for each", async () => {
    const [few, many] = [await reading(write("few", 20_000, ""), 100), await reading(write("many", 120_000, ""), 100)]
    // a tenth of the documents each to validation and test
    assert.closeTo(many.train, 96_000, 1000)
    const bytes = (many.bytes - few.bytes) / 100_000
    console.info(`${bytes.toFixed(1)} bytes a document`)
    assert.isAbove(bytes, 8)
    assert.isBelow(bytes, 20)
  })

  it("is read with a heap smaller than itself", async () => {
    const file = write("large", 80_000, " word".repeat(200))
    const { train } = await reading(file, 60)
    assert.closeTo(train, 64_000, 1000)
  })
})
