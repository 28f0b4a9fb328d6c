import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import * as PieceFile from "../../src/data/PieceFile.ts"
import { partsInHand, partsOf } from "../../src/data/TextParts.ts"
import { Digest } from "../../src/spec/index.ts"
import { run } from "./brown.ts"

const splits = ["train", "validation", "test"] as const
const documents = fc.uniqueArray(
  fc.record({ name: fc.string(), ids: fc.array(fc.nat({ max: 99 }), { maxLength: 9 }) }),
  { maxLength: 40, selector: ({ name }) => name }
)

describe("parts of a text", () => {
  it("are the same in a file, put in order with little room, as in memory", () =>
    fc.assert(
      fc.asyncProperty(documents, fc.integer({ min: 1, max: 7 }), (list, room) =>
        run(
          Effect.gen(function* () {
            const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
            const stored = list.map(({ name, ids }) => ({ digest: Digest.ofBytes(name), ids: Int32Array.from(ids) }))
            yield* PieceFile.write(`${folder}/some.pieces`, Stream.fromIterable(stored), 100, room)
            const inFile = partsOf((yield* PieceFile.read(`${folder}/some.pieces`)) ?? [])
            const inOrder = stored.toSorted((a, b) => (a.digest < b.digest ? -1 : 1))
            const inHand = partsInHand(inOrder)
            assert.strictEqual(inHand.text, Digest.of(inOrder.map(({ digest }) => digest)))
            assert.strictEqual(inFile.text, inHand.text)
            for (const split of splits) {
              const [one, other] = [inFile.documents[split], inHand.documents[split]]
              assert.strictEqual(one.length, other.length)
              const plain = [...one].map((document) => ({ ...document, ids: document.ids.subarray() }))
              assert.deepStrictEqual(
                plain,
                [...other].map((document) => ({ ...document, ids: document.ids.subarray() }))
              )
              assert.deepStrictEqual(
                [...one].map(({ ids }) => ids.length),
                [...other].map(({ ids }) => ids.length)
              )
              assert.strictEqual(one.at(one.length - 1)?.file, other.at(other.length - 1)?.file)
              assert.isUndefined(one.at(one.length))
            }
          }).pipe(Effect.scoped)
        )
      ),
      { numRuns: 25 }
    ))
})
