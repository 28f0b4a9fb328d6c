import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configJson, files, readTokenizerFiles, tokenizerFileNames } from "../../src/checkpoint/HuggingFaceFiles.ts"
import * as HuggingFaceConfig from "../../src/checkpoint/HuggingFaceConfig.ts"
import { BertConfig } from "../../src/model/index.ts"
import { inFolder, small } from "./samples.ts"

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
