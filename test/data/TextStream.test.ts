import { gzipSync } from "node:zlib"
import { Buffer } from "node:buffer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { documentsOfText } from "../../src/data/TextFiles.ts"
import { textDocuments } from "../../src/data/TextStream.ts"
import { run as onFiles } from "./brown.ts"

/** Runs an effect on this machine's files; temporary ones go with it. */
const run = <A, E>(effect: Effect.Effect<A, E, FileSystem.FileSystem | Path.Path | Scope.Scope>) =>
  onFiles(Effect.scoped(effect))

const encoder = new TextEncoder()

const written = (name: string, bytes: Uint8Array) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = `${yield* fs.makeTempDirectoryScoped()}/${name}`
    yield* fs.writeFile(file, bytes)
    return file
  })

const read = (name: string, bytes: Uint8Array) =>
  Effect.flatMap(written(name, bytes), (file) => Stream.runCollect(textDocuments(file)))

const message = (name: string, bytes: Uint8Array) =>
  Effect.map(
    Effect.flatMap(written(name, bytes), (file) => Effect.flip(Stream.runCollect(textDocuments(file)))),
    (error) => error.message
  )

describe("textDocuments", () => {
  it("reads a text, packed or not, in several members or in one, as documentsOfText does", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "binary" }), { maxLength: 12 }).map((parts) => parts.join("\n\n").toWellFormed()),
        (text) =>
          run(
            Effect.gen(function* () {
              const [bytes, expected] = [encoder.encode(text), documentsOfText(text, "blocks")]
              const half = Math.floor(bytes.length / 2)
              const members = Buffer.concat([gzipSync(bytes.subarray(0, half)), gzipSync(bytes.subarray(half))])
              // whatever its name: gzip is known by its first bytes
              for (const packed of [bytes, gzipSync(bytes), members])
                assert.deepEqual(yield* read("a.txt", packed), expected)
            })
          )
      ),
      { numRuns: 25 }
    ))

  it("reads JSON lines by their name", () =>
    run(
      Effect.gen(function* () {
        const bytes = encoder.encode('{"text": "one\\n\\ntwo"}\n{"text": "three"}\n')
        assert.deepEqual(yield* read("a.jsonl", bytes), ["one\n\ntwo", "three"])
        assert.deepEqual(yield* read("a.ndjson.gz", gzipSync(bytes)), ["one\n\ntwo", "three"])
      })
    ))

  it("holds characters together that lie on the edge of two chunks", () =>
    run(
      Effect.gen(function* () {
        const text = `${"a".repeat((1 << 18) - 1)}\u{1F600}${"é".repeat(1 << 18)}`
        assert.deepEqual(yield* read("a.txt", encoder.encode(text)), [text])
      })
    ))

  it("names what is wrong with a file", () =>
    run(
      Effect.gen(function* () {
        const packed = gzipSync(encoder.encode("one\n\ntwo ".repeat(500)))
        assert.match(yield* message("a.gz", packed.subarray(0, packed.length - 12)), /a whole file packed by gzip/)
        const damaged = Uint8Array.from(packed, (byte, i) => (i === 14 ? byte ^ 255 : byte))
        assert.match(yield* message("a.gz", damaged), /a whole file packed by gzip|text in UTF-8/)
        assert.match(yield* message("a.txt", Uint8Array.of(97, 0xff, 97)), /text in UTF-8/)
        assert.match(yield* message("a.txt", Uint8Array.of(97, 0xc3)), /text in UTF-8/)
        assert.match(
          yield* message("a.jsonl", encoder.encode('{"text": "a"}\nb\n')),
          /a\.jsonl, line 2: must be .* no JSON object/
        )
      })
    ))
})
