import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { systemError } from "effect/PlatformError"
import { Digest } from "../../src/spec/index.ts"
import { digest, read } from "../../src/checkpoint/HuggingFaceReader.ts"
import * as Safetensors from "../../src/checkpoint/Safetensors.ts"
import { inFolder, objectOf, small, weights } from "./samples.ts"

const known = "325eb561749a460685bb666dd644c53c031a9674e7531c8d8a399eb91cd24a0b"
const golden = fileURLToPath(new URL("../golden/bert/", import.meta.url))

describe("digest", () => {
  it("is that of shape and weights as one file", () => {
    const model = { config: small, parameters: weights(small) }
    const bytes = Safetensors.encode(model.parameters, { format: "pt" })
    assert.strictEqual(digest(model), Digest.of({ config: { ...small }, weights: Digest.ofBytes(bytes) }))
    // as it was before models could have other activations, decoders or no head
    assert.strictEqual(digest(model), known)
  })
})

describe("read", () => {
  it("refuses what config.json tells of before it opens any weights", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const config = objectOf(yield* fs.readFileString(`${golden}masked-gelu/config.json`))
        yield* fs.writeFile(`${folder}/model.safetensors`, new Uint8Array(0))
        const denied = systemError({ _tag: "PermissionDenied", module: "FileSystem", method: "open" })
        const closed = FileSystem.FileSystem.of({ ...fs, open: () => Effect.fail(denied) })
        for (const [field, value] of [
          ["model_type", "roberta"],
          ["model_type", "distilbert"],
          ["is_decoder", true],
          ["position_embedding_type", "relative_key_query"],
          ["quantization_config", { quant_method: "gptq" }],
          ["hidden_act", "prelu"]
        ] as const) {
          yield* fs.writeFileString(`${folder}/config.json`, JSON.stringify({ ...config, [field]: value }))
          const error = yield* Effect.flip(Effect.provideService(read(folder), FileSystem.FileSystem, closed))
          assert.strictEqual(error._tag, "ConfigError")
          assert.match(error.message, new RegExp(`^${field} in .*config.json = .*: must be .*; (give|correct) `))
        }
        // the same directory with nothing to refuse: now the weights are asked for
        yield* fs.writeFileString(`${folder}/config.json`, JSON.stringify(config))
        const error = yield* Effect.flip(Effect.provideService(read(folder), FileSystem.FileSystem, closed))
        assert.match(error.message, /model\.safetensors: cannot be read \(PermissionDenied\)/)
      })
    ))

  it("refuses provenance of nothing but brackets", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* fs.copy(`${golden}masked-gelu`, `${folder}/x`)
        yield* fs.writeFileString(`${folder}/x/provenance.json`, "[".repeat(60_000) + "]".repeat(60_000))
        const error = yield* Effect.flip(read(`${folder}/x`))
        assert.match(error.message, /provenance\.json: is not JSON;/)
      })
    ))
})
