import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { Tensor } from "../../src/backend/index.ts"
import * as HuggingFace from "../../src/checkpoint/HuggingFace.ts"
import * as HuggingFaceConfig from "../../src/checkpoint/HuggingFaceConfig.ts"
import * as ModelCard from "../../src/checkpoint/ModelCard.ts"
import * as Safetensors from "../../src/checkpoint/Safetensors.ts"
import { Activation, BertConfig, Pooler } from "../../src/model/index.ts"
import { bitsOf, inFolder, poolerOf, small, uneven, weights } from "./samples.ts"

const teacher = { config: small, parameters: weights(small) }
const tokenizerFiles = { "tokenizer.json": Uint8Array.of(123, 125), "vocab.txt": Uint8Array.of(0, 255) }
const provenance = { command: "homodistil pretrain", seed: 0, heldOut: { loss: 4.1, accuracy: null } }

const fileNames = ["config.json", "model.safetensors", "provenance.json", "tokenizer.json", "vocab.txt"]

describe("write, then read", () => {
  for (const [what, config] of [
    ["a teacher", small],
    ["an unevenly pruned student", uneven]
  ] as const)
    it(`gives ${what} back, bit by bit`, () =>
      inFolder((folder, fs) =>
        Effect.gen(function* () {
          const parameters = weights(config, 1)
          yield* HuggingFace.write(`${folder}/x`, { config, parameters, tokenizerFiles, provenance })
          const read = yield* HuggingFace.read(`${folder}/x`)
          assert.deepStrictEqual(read.config, config)
          assert.deepStrictEqual(bitsOf(read.parameters), bitsOf(parameters))
          assert.deepStrictEqual(Object.keys(read.tokenizerFiles), ["tokenizer.json", "vocab.txt"])
          assert.deepStrictEqual([...(read.tokenizerFiles["vocab.txt"] ?? [])], [0, 255])
          assert.deepStrictEqual(read.provenance, provenance)
          assert.deepStrictEqual(read.ignored, [])
          assert.strictEqual(read.digest, HuggingFace.digest({ config, parameters }))
          assert.deepStrictEqual((yield* fs.readDirectory(`${folder}/x`)).sort(), fileNames)
        })
      ))

  it("needs neither tokenizer nor provenance", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        yield* HuggingFace.write(`${folder}/x`, teacher)
        const read = yield* HuggingFace.read(`${folder}/x`)
        assert.deepStrictEqual(read.tokenizerFiles, {})
        assert.isFalse(Object.hasOwn(read, "provenance"))
      })
    ))
})

describe("write", () => {
  it("gives equal bytes for equal contents", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const reversed = Object.fromEntries(Object.entries(teacher.parameters).toReversed())
        yield* HuggingFace.write(`${folder}/x`, { ...teacher, provenance })
        yield* HuggingFace.write(`${folder}/y`, { config: small, parameters: reversed, provenance })
        for (const name of ["config.json", "model.safetensors", "provenance.json"])
          assert.deepStrictEqual(yield* fs.readFile(`${folder}/x/${name}`), yield* fs.readFile(`${folder}/y/${name}`))
      })
    ))

  it("replaces a checkpoint, files it no longer has included", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* HuggingFace.write(`${folder}/x`, { ...teacher, provenance })
        yield* HuggingFace.write(`${folder}/x`, { config: uneven, parameters: weights(uneven) })
        assert.deepStrictEqual((yield* fs.readDirectory(`${folder}/x`)).sort(), ["config.json", "model.safetensors"])
        assert.deepStrictEqual((yield* HuggingFace.read(`${folder}/x`)).config, uneven)
      })
    ))

  it("refuses a file in its place with OutputError, and so does writable", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${folder}/x`, "text")
        for (const attempt of [HuggingFace.write(`${folder}/x`, teacher), HuggingFace.writable(`${folder}/x`)]) {
          const error = yield* Effect.flip(attempt)
          assert.strictEqual(error._tag, "OutputError")
          assert.match(error.message, /a file of that name is in the way; choose another folder with --out/)
        }
        assert.strictEqual(yield* fs.readFileString(`${folder}/x`), "text")
      })
    ))

  it("takes weights of another shape for a defect, before it writes", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(HuggingFace.write(`${folder}/x`, { ...teacher, config: uneven }))
        assert.match(String(exit), /Die.*has shape/s)
        const stale = { config: uneven, parameters: weights(uneven), pooler: poolerOf(small) }
        assert.match(String(yield* Effect.exit(HuggingFace.write(`${folder}/x`, stale))), /Die.*pooler.*has shape/s)
        assert.deepStrictEqual(yield* fs.readDirectory(folder), [])
      })
    ))
})

const words = "bert.embeddings.word_embeddings.weight"
const decoder = "cls.predictions.decoder.weight"

/** Any model that can be read: sizes, activation, decoder, head, pooler, and widths with which a student may end. */
const anyModel = fc
  .record({
    layers: fc.integer({ min: 1, max: 2 }),
    heads: fc.integer({ min: 1, max: 3 }),
    width: fc.integer({ min: 1, max: 3 }),
    ffn: fc.integer({ min: 1, max: 5 }),
    vocabSize: fc.integer({ min: 1, max: 9 }),
    types: fc.integer({ min: 1, max: 3 }),
    cut: fc.boolean(),
    kind: fc.constantFrom<Partial<BertConfig.BertConfig>>({}, { decoder: "untied" }, { head: "none" }),
    activation: fc.constantFrom(undefined, ...Activation.activations),
    pooled: fc.boolean(),
    seed: fc.nat()
  })
  .map(({ layers, heads, width, ffn, vocabSize, types, cut, kind, activation, pooled, seed }) => {
    const usual = BertConfig.uniform({ layers, heads, hidden: heads * width, ffn, vocabSize, types, positions: 4 })
    const widths = cut ? { hidden: heads * width + 1, ffn: usual.ffn.map((each, i) => each + i) } : {}
    const config = { ...usual, ...widths, ...kind, ...(activation === undefined ? {} : { activation }) }
    return { config, parameters: weights(config, seed), ...(pooled ? { pooler: poolerOf(config, seed) } : {}) }
  })

describe("a round trip", () => {
  it("keeps every bit of any model, and its digest", () =>
    fc.assert(
      fc.asyncProperty(anyModel, (model) =>
        inFolder((folder) =>
          Effect.gen(function* () {
            const { config, parameters } = model
            yield* HuggingFace.write(`${folder}/x`, model)
            const read = yield* HuggingFace.read(`${folder}/x`)
            assert.deepStrictEqual(read.config, config)
            assert.deepStrictEqual(bitsOf(read.parameters), bitsOf(parameters))
            assert.deepStrictEqual(
              bitsOf(Pooler.parameters(read.pooler)),
              "pooler" in model ? bitsOf(Pooler.parameters(model.pooler)) : []
            )
            assert.strictEqual(read.digest, HuggingFace.digest(model))
            assert.deepStrictEqual(read.ignored, config.decoder === undefined ? [] : ["cls.predictions.bias"])
          })
        )
      ),
      { numRuns: 40 }
    ))

  it("through homodistil gives Hugging Face its float32 tensors back, bit by bit", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const golden = fileURLToPath(new URL("../golden/bert/", import.meta.url))
        for (const name of ["masked-gelu", "untied-relu", "encoder-quick_gelu", "classifier-tanh"]) {
          const read = yield* HuggingFace.read(golden + name)
          yield* HuggingFace.write(`${folder}/${name}`, read)
          const tensors = (place: string) =>
            Effect.map(fs.readFile(`${place}/model.safetensors`), (bytes) =>
              bitsOf(Result.getOrThrow(Safetensors.decode(bytes)).values)
            )
          const prefix = name.startsWith("classifier") ? "bert." : ""
          const bare = (each: string) => each.slice(each.startsWith(prefix) ? prefix.length : 0)
          const kept = (yield* tensors(golden + name))
            .filter((tensor) => !/classifier/.test(tensor.name))
            .map((tensor) => ({ ...tensor, name: bare(tensor.name) }))
          // an untied decoder's own bias is the one that has an effect
          const effective = kept.map((tensor) =>
            tensor.name === "cls.predictions.bias"
              ? {
                  ...tensor,
                  bits: kept.find((each) => each.name === "cls.predictions.decoder.bias")?.bits ?? tensor.bits
                }
              : tensor
          )
          const poolers = effective.filter((tensor) => tensor.name.includes("pooler"))
          assert.lengthOf(poolers, /^(masked|untied)/.test(name) ? 0 : 2)
          assert.deepStrictEqual(yield* tensors(`${folder}/${name}`), effective)
          assert.isAbove(effective.length, 15)
        }
      })
    ))

  it("takes a decoder of its own that equals the word embedding as tied", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const config = { ...small, decoder: "untied" } as const
        const own = { ...teacher.parameters, [decoder]: teacher.parameters[words] ?? Tensor.host([]) }
        yield* HuggingFace.write(`${folder}/x`, { config, parameters: own })
        const read = yield* HuggingFace.read(`${folder}/x`)
        assert.deepStrictEqual([read.config, read.digest], [small, HuggingFace.digest(teacher)])
      })
    ))
})

describe("a model card", () => {
  it("is written where one is asked for, and replaced with its model", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const card = { title: "Half", done: ["Distilled."] }
        yield* HuggingFace.write(`${folder}/x`, { ...teacher, provenance, card })
        assert.strictEqual(
          yield* fs.readFileString(`${folder}/x/README.md`),
          ModelCard.text({ ...teacher, provenance }, card)
        )
        yield* HuggingFace.write(`${folder}/x`, teacher)
        assert.deepStrictEqual((yield* fs.readDirectory(`${folder}/x`)).sort(), ["config.json", "model.safetensors"])
      })
    ))
})

describe("digest", () => {
  it("changes with a weight, with the shape and with the pooler", () => {
    const { data } = teacher.parameters[words] ?? Tensor.host([])
    const nudged = {
      ...teacher.parameters,
      [words]: Tensor.host(
        data.map((x, i) => (i === 5 ? -x : x)),
        [11, 4]
      )
    }
    const digests = [
      teacher,
      { config: small, parameters: nudged },
      { ...teacher, config: { ...small, scale: 1 } },
      { ...teacher, pooler: poolerOf(small, 1) },
      { ...teacher, pooler: poolerOf(small, 2) }
    ].map(HuggingFace.digest)
    assert.strictEqual(new Set(digests).size, 5)
  })
})

type Fs = FileSystem.FileSystem

/** Reads a checkpoint after something was done to it. */
const after = (change: (fs: Fs, folder: string) => Effect.Effect<void, unknown>) =>
  inFolder((folder, fs) =>
    Effect.gen(function* () {
      const x = `${folder}/x`
      yield* HuggingFace.write(x, { ...teacher, tokenizerFiles, provenance })
      yield* Effect.orDie(change(fs, x))
      const error = yield* Effect.flip(HuggingFace.read(x))
      return { tag: error._tag, message: error.message.replaceAll(x, "x") }
    })
  )
const json = (value: object) => JSON.stringify({ ...HuggingFaceConfig.toJson(small), ...value })

describe("read", () => {
  const cases: ReadonlyArray<readonly [string, string, RegExp, (fs: Fs, x: string) => Effect.Effect<void, unknown>]> = [
    [
      "a missing folder",
      "ConfigError",
      /^teacher = x: must be a folder with config\.json and model\.safetensors, but there is no such folder; give the folder/,
      (fs, x) => fs.remove(x, { recursive: true })
    ],
    [
      "a file in its place",
      "ConfigError",
      /^teacher = x: must be .*, but it is a file; give/,
      (fs, x) => Effect.andThen(fs.remove(x, { recursive: true }), fs.writeFileString(x, ""))
    ],
    ["no config.json", "ConfigError", /but it has no config\.json; give/, (fs, x) => fs.remove(`${x}/config.json`)],
    [
      "no weights",
      "ConfigError",
      /but it has no model\.safetensors; give/,
      (fs, x) => fs.remove(`${x}/model.safetensors`)
    ],
    [
      "an empty folder",
      "ConfigError",
      /but it has no config\.json and no model\.safetensors; give/,
      (fs, x) => Effect.andThen(fs.remove(x, { recursive: true }), fs.makeDirectory(x))
    ],
    [
      "another kind of model",
      "ConfigError",
      /^model_type in x\/config\.json = "gpt2": must be "bert"; give the folder of a BERT; RoBERTa/,
      (fs, x) => fs.writeFileString(`${x}/config.json`, json({ model_type: "gpt2" }))
    ],
    [
      "weights that are cut",
      "CheckpointError",
      /^x\/model\.safetensors: cls\.predictions\.transform\.dense\.weight ends at byte \d+ of data that ends at byte \d+; copy/,
      (fs, x) =>
        Effect.flatMap(fs.readFile(`${x}/model.safetensors`), (all) =>
          fs.writeFile(`${x}/model.safetensors`, all.subarray(0, -1))
        )
    ],
    [
      "weights of another model",
      "CheckpointError",
      /^x\/model\.safetensors: bert\.embeddings\.word_embeddings\.weight has shape \[11, 4\], but config\.json makes it \[12, 4\]\n {2}cls\.predictions\.bias has shape \[11\], but config\.json makes it \[12\]; give/,
      (fs, x) => fs.writeFileString(`${x}/config.json`, json({ vocab_size: 12 }))
    ],
    [
      "weights of another kind only",
      "ConfigError",
      /but it has no model\.safetensors, only pytorch_model\.bin, which is not read; save the model anew in Python/,
      (fs, x) => fs.rename(`${x}/model.safetensors`, `${x}/pytorch_model.bin`)
    ],
    [
      "a weight that is no number",
      "CheckpointError",
      /^x\/model\.safetensors: cls\.predictions\.bias holds NaN at element 2; give a model whose training went well/,
      (fs, x) =>
        fs.writeFile(
          `${x}/model.safetensors`,
          Safetensors.encode({
            ...teacher.parameters,
            "cls.predictions.bias": Tensor.host(Array.from({ length: 11 }, (_, i) => (i === 2 ? NaN : i)))
          })
        )
    ],
    [
      "half a pooler",
      "CheckpointError",
      /^x\/model\.safetensors: bert\.pooler\.dense\.bias is missing, but bert\.pooler\.dense\.weight is there; give/,
      (fs, x) =>
        fs.writeFile(
          `${x}/model.safetensors`,
          Safetensors.encode({ ...teacher.parameters, [Pooler.weight]: poolerOf(small).weight })
        )
    ],
    [
      "a pooler of another width",
      "CheckpointError",
      /^x\/model\.safetensors: bert\.pooler\.dense\.bias has shape \[3\], but config\.json makes it \[4\]\n {2}bert\.pooler\.dense\.weight has shape \[3, 3\]/,
      (fs, x) =>
        fs.writeFile(
          `${x}/model.safetensors`,
          Safetensors.encode({ ...teacher.parameters, ...Pooler.parameters(poolerOf(uneven)) })
        )
    ],
    [
      "a config.json that is too large to be one",
      "CheckpointError",
      /^x\/config\.json: has 1048577 bytes, above the 1048576 that are read/,
      (fs, x) => fs.writeFileString(`${x}/config.json`, " ".repeat(2 ** 20 + 1))
    ],
    [
      "a folder in the place of the weights",
      "CheckpointError",
      /^x\/model\.safetensors: cannot be read \(\w+\); make it a readable file/,
      (fs, x) => Effect.andThen(fs.remove(`${x}/model.safetensors`), fs.makeDirectory(`${x}/model.safetensors`))
    ],
    [
      "provenance that is not JSON",
      "CheckpointError",
      /^x\/provenance\.json: is not JSON; correct it, or remove it/,
      (fs, x) => fs.writeFileString(`${x}/provenance.json`, "{")
    ]
  ]
  for (const [what, tag, message, change] of cases)
    it(`refuses ${what}`, async () => {
      const error = await after(change)
      assert.strictEqual(error.tag, tag)
      assert.match(error.message, message)
    })

  it("names the setting that named the folder", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(HuggingFace.read(`${folder}/none`, "--teacher"))
        assert.match(error.message, /^--teacher = /)
      })
    ))

  it("takes a checkpoint of Hugging Face's: old names, a pooler, a copied decoder, no words of homodistil", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const tensors = Object.entries(teacher.parameters).map(
          ([name, tensor]) => [name.replace("LayerNorm.weight", "LayerNorm.gamma"), tensor] as const
        )
        const stored = Safetensors.encode({
          ...Object.fromEntries(tensors),
          [decoder]: teacher.parameters[words] ?? Tensor.host([]),
          "cls.seq_relationship.bias": Tensor.host([0, 0]),
          ...Pooler.parameters(poolerOf(small))
        })
        const { homodistil: _, ...config } = HuggingFaceConfig.toJson(small)
        yield* fs.writeFile(`${folder}/model.safetensors`, stored)
        yield* fs.writeFileString(`${folder}/config.json`, JSON.stringify(config))
        const read = yield* HuggingFace.read(folder)
        assert.deepStrictEqual(read.config, small)
        assert.deepStrictEqual(bitsOf(read.parameters), bitsOf(teacher.parameters))
        assert.deepStrictEqual(read.ignored, ["cls.seq_relationship.bias"])
        assert.deepStrictEqual(read.pooler, poolerOf(small))
        assert.strictEqual(read.digest, HuggingFace.digest({ ...teacher, pooler: poolerOf(small) }))
      })
    ))
})
