import { execFileSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as InputFile from "../../src/checkpoint/InputFile.ts"
import { inFolder } from "./samples.ts"

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251)

describe("read", () => {
  it("gives the bytes of a file up to the limit", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* fs.writeFile(`${folder}/x`, bytes)
        assert.deepStrictEqual(Uint8Array.from(yield* InputFile.read(`${folder}/x`, 1000)), bytes)
        const error = yield* Effect.flip(InputFile.read(`${folder}/x`, 999))
        assert.match(error.message, /x: has 1000 bytes, above the 999 that are read;/)
      })
    ))

  it("refuses what is no file, and does not wait for a pipe", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        execFileSync("mkfifo", [`${folder}/pipe`])
        for (const [name, kind] of [
          ["pipe", "FIFO"],
          ["", "Directory"],
          ["none", "NotFound"]
        ] as const) {
          const path = `${folder}/${name}`
          const failed = new RegExp(`cannot be read \\(${kind}\\); make it a readable file`)
          assert.match((yield* Effect.flip(InputFile.read(path))).message, failed)
          assert.match((yield* Effect.flip(Effect.scoped(InputFile.open(path)))).message, failed)
        }
      })
    ))
})

describe("open", () => {
  it("reads at any place, and says where a file ends before its time", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* fs.writeFile(`${folder}/x`, bytes)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { size, into } = yield* InputFile.open(`${folder}/x`)
            assert.strictEqual(size, 1000)
            for (const [position, length] of [
              [0, 1000],
              [990, 10],
              [3, 0],
              [500, 7]
            ] as const) {
              const buffer = new Uint8Array(length)
              yield* into(buffer, position)
              assert.deepStrictEqual(buffer, bytes.slice(position, position + length))
            }
            yield* fs.truncate(`${folder}/x`, 600)
            const error = yield* Effect.flip(into(new Uint8Array(200), 500))
            assert.match(error.message, /x: ends at byte 600 while it is read;/)
          })
        )
      })
    ))
})

describe("exists", () => {
  it("tells whether something is there", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(
          [yield* InputFile.exists(folder), yield* InputFile.exists(`${folder}/none`)],
          [true, false]
        )
      })
    ))
})
