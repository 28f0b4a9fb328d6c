import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HuggingFace from "../../src/checkpoint/HuggingFace.ts"
import { configJson, files, readTokenizerFiles, tokenizerFileNames } from "../../src/checkpoint/HuggingFaceFiles.ts"
import * as HuggingFaceConfig from "../../src/checkpoint/HuggingFaceConfig.ts"
import { BertConfig } from "../../src/model/index.ts"
import { inFolder, objectOf, small, weights } from "./samples.ts"

describe("readTokenizerFiles", () => {
  it("gives those that are there, and nothing else", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* readTokenizerFiles(folder), {})
        yield* fs.writeFileString(`${folder}/vocab.txt`, "[PAD]\n")
        yield* fs.writeFileString(`${folder}/${files.config}`, "{}")
        const read = yield* readTokenizerFiles(folder)
        assert.deepStrictEqual(Object.keys(read), ["vocab.txt"])
        assert.strictEqual(new TextDecoder().decode(read["vocab.txt"]), "[PAD]\n")
      })
    ))

  it("names one that cannot be read", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        for (const name of tokenizerFileNames) {
          yield* fs.makeDirectory(`${folder}/${name}`)
          const error = yield* Effect.flip(readTokenizerFiles(folder))
          assert.match(error.message, new RegExp(`${name}: cannot be read \\(Directory\\)`))
          yield* fs.remove(`${folder}/${name}`, { recursive: true })
        }
      })
    ))
})

describe("configJson", () => {
  const bytes = (text: string) => new TextEncoder().encode(text)

  it("pads with the piece that the tokenizer pads with, whatever it is called and wherever it stands", () => {
    const config = { ...small, vocabSize: 50 }
    const vocabulary = "a\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n[PAD]\n<pad>\n"
    const of = (tokenizerFiles: Record<string, Uint8Array>) => configJson({ config, tokenizerFiles })["pad_token_id"]
    assert.strictEqual(of({ "vocab.txt": bytes(vocabulary) }), 5)
    assert.strictEqual(
      of({ "vocab.txt": bytes(vocabulary), "tokenizer_config.json": bytes('{ "pad_token": "<pad>" }') }),
      6
    )
    const vocab = { a: 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4 }
    const json = {
      model: { type: "WordPiece", vocab },
      pre_tokenizer: { type: "BertPreTokenizer" },
      added_tokens: [{ id: 5, content: "[PAD]", special: true }]
    }
    assert.strictEqual(of({ "tokenizer.json": bytes(JSON.stringify(json)) }), 5)
    // a tokenizer.json comes before a vocab.txt, as where it is read
    assert.strictEqual(
      of({ "tokenizer.json": bytes(JSON.stringify(json)), "vocab.txt": bytes(vocabulary.replace("a\n", "")) }),
      5
    )
  })

  it("is otherwise the configuration as it is", () => {
    assert.deepStrictEqual(configJson({ config: BertConfig.micro }), HuggingFaceConfig.toJson(BertConfig.micro))
    assert.strictEqual(configJson({ config: small, padTokenId: 4 })["pad_token_id"], 4)
  })
})

describe("the id of the piece that pads, in a directory", () => {
  const vocabulary = (...pieces: ReadonlyArray<string>) => ({
    "vocab.txt": new TextEncoder().encode(pieces.map((piece) => `${piece}\n`).join(""))
  })
  const teacher = { config: small, parameters: weights(small) }
  const special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]", "a"]

  it("is the tokenizer's, or else what the checkpoint said, or else 0; and is read back", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const x = `${folder}/x`
        const written = (more: Partial<HuggingFace.Contents>) =>
          Effect.gen(function* () {
            yield* HuggingFace.write(x, { ...teacher, ...more })
            const { pad_token_id: id } = objectOf(yield* fs.readFileString(`${x}/config.json`))
            assert.strictEqual((yield* HuggingFace.read(x)).padTokenId, id)
            return id
          })
        const own = vocabulary(...special)
        assert.strictEqual(yield* written({ tokenizerFiles: own }), 3)
        assert.strictEqual(yield* written({ tokenizerFiles: own, padTokenId: 0 }), 3)
        assert.strictEqual(yield* written({ padTokenId: 7 }), 7)
        assert.strictEqual(yield* written({ padTokenId: null }), null)
        assert.strictEqual(yield* written({}), 0)
        // files that make no tokenizer, and one without the piece, tell nothing
        assert.strictEqual(
          yield* written({ tokenizerFiles: { "tokenizer.json": Uint8Array.of(123, 125) }, padTokenId: 7 }),
          7
        )
        assert.strictEqual(yield* written({ tokenizerFiles: vocabulary("a", "b"), padTokenId: 7 }), 7)
        // transformers makes no model of an id that its vocabulary has not
        const far = vocabulary(..."bcdefghijkl".split(""), ...special)
        assert.strictEqual(yield* written({ tokenizerFiles: far }), 0)
        for (const padTokenId of [-1, 11, 1.5]) assert.strictEqual(yield* written({ padTokenId }), 0)
      })
    ))

  it("travels with a checkpoint that has no tokenizer", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* HuggingFace.write(`${folder}/x`, { ...teacher, padTokenId: 5 })
        yield* HuggingFace.write(`${folder}/y`, yield* HuggingFace.read(`${folder}/x`))
        for (const name of ["config.json", "model.safetensors"])
          assert.deepStrictEqual(yield* fs.readFile(`${folder}/y/${name}`), yield* fs.readFile(`${folder}/x/${name}`))
      })
    ))
})
