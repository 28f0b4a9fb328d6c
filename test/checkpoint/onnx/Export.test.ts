import { Buffer } from "node:buffer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { HuggingFaceConfig, Onnx } from "homodistil/checkpoint"
import type { BertConfig } from "homodistil/model"
import { Digest } from "homodistil/spec"
import { inFolder, small, uneven } from "../samples.ts"
import { eager, distance, loud, run } from "./runtime.ts"

const exported = (config: BertConfig.BertConfig, more: Partial<Onnx.Exported> = {}): Onnx.Exported => ({
  ...loud(config, 0),
  task: "masked-lm",
  version: "1.2.3",
  digest: Digest.of({ model: 1 }),
  ...more
})

const batch = {
  rows: 2,
  length: 3,
  ids: Int32Array.of(1, 2, 3, 4, 5, 0),
  types: Int32Array.of(0, 0, 1, 0, 1, 0),
  attention: Float32Array.of(1, 1, 1, 1, 1, 0)
}

describe("write", () => {
  it("makes a directory that other programs find their files in, of widths that no BertConfig has", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const out = `${folder}/out`
        const tokenizer = new TextEncoder().encode("{}")
        const contents = exported(uneven, {
          int8: true,
          tokenizerFiles: { "tokenizer.json": tokenizer },
          provenance: { seed: 3 }
        })
        const sizes = yield* Onnx.write(out, contents)
        assert.deepStrictEqual((yield* fs.readDirectory(out, { recursive: true })).toSorted(), [
          "config.json",
          "onnx",
          "onnx/model.onnx",
          "onnx/model_quantized.onnx",
          "provenance.json",
          "tokenizer.json"
        ])
        for (const { name, bytes } of sizes) assert.strictEqual((yield* fs.readFile(`${out}/${name}`)).length, bytes)
        const text = yield* fs.readFileString(`${out}/config.json`)
        assert.deepStrictEqual(Result.getOrThrow(HuggingFaceConfig.fromJson(text)), uneven)
        const bytes = yield* fs.readFile(`${out}/onnx/model.onnx`)
        const { data } = yield* Effect.promise(() => run(bytes, batch))
        const ours = yield* Effect.promise(() => eager(contents, "masked-lm", batch))
        assert.isBelow(distance(data, ours), 1e-4)
        // the same once more, over what is there
        yield* Onnx.write(out, { ...contents, int8: false })
        assert.deepStrictEqual(yield* fs.readDirectory(`${out}/onnx`), ["model.onnx"])
        assert.deepStrictEqual(yield* fs.readFile(`${out}/onnx/model.onnx`), bytes)
      })
    ))

  it("says which piece pads", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const vocabulary = "[UNK]\n[CLS]\n[SEP]\n[PAD]\n[MASK]\na\n"
        const tokenizerFiles = { "vocab.txt": new TextEncoder().encode(vocabulary) }
        for (const [more, id] of [
          [{ tokenizerFiles }, 3],
          [{ padTokenId: 2 }, 2],
          [{}, 0]
        ] as const) {
          yield* Onnx.write(`${folder}/out`, exported(small, more))
          assert.include(yield* fs.readFileString(`${folder}/out/config.json`), `"pad_token_id": ${id}`)
        }
      })
    ))

  it("says which class a program should load it as", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const architecture = (contents: Onnx.Exported) =>
          Effect.gen(function* () {
            yield* Onnx.write(`${folder}/out`, contents)
            return /"architectures": \[\s*"(\w+)"/.exec(yield* fs.readFileString(`${folder}/out/config.json`))?.[1]
          })
        assert.strictEqual(yield* architecture(exported(small)), "BertForMaskedLM")
        assert.strictEqual(yield* architecture(exported(small, { task: "features" })), "BertModel")
        assert.strictEqual(yield* architecture(exported({ ...small, head: "none" }, { task: "features" })), "BertModel")
      })
    ))

  it("refuses logits of a model without a head, and leaves folders with other files alone", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const out = `${folder}/out`
        const bare = yield* Effect.flip(Onnx.write(out, exported({ ...small, head: "none" })))
        assert.match(bare.message, /^--task = masked-lm: must be features for a model without/)
        assert.isFalse(yield* fs.exists(out))
        yield* Onnx.write(out, exported(small))
        yield* fs.writeFileString(`${out}/onnx/notes.txt`, "mine")
        const other = yield* Effect.flip(Onnx.write(out, exported(small)))
        assert.match(other.message, /holds other files \(onnx\/notes\.txt\)/)
        assert.match((yield* Effect.flip(Onnx.writable(out))).message, /onnx\/notes\.txt/)
        assert.strictEqual(yield* fs.readFileString(`${out}/onnx/notes.txt`), "mine")
      })
    ))
})

describe("fits", () => {
  it("passes files below 2 GiB", async () => {
    await Effect.runPromise(Onnx.fits("model.onnx", 2 ** 31 - 1))
    const error = await Effect.runPromise(Effect.flip(Onnx.fits("model.onnx", 2 ** 31)))
    assert.match(error.message, /^model\.onnx = 2147483648 bytes: must be below 2 GiB/)
  })
})

describe("graphOf", () => {
  it("tells in its notes which model it is of", () => {
    const text = Buffer.concat(Onnx.graphOf(exported(small, { provenance: { seed: 7 } }), "float32")).toString("latin1")
    for (const note of [Digest.of({ model: 1 }), '{"seed":7}', "masked-lm", "1.2.3"]) assert.include(text, note)
  })
})
