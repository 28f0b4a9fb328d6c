import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Tokenizer, tokenizerOfFiles } from "../../src/data/Tokenizer.ts"
import type { TokenizerBytes } from "../../src/data/wordpiece/TokenizerFiles.ts"

const file = (path: string): Uint8Array => readFileSync(new URL(path, import.meta.url))

/** Text as the bytes of a file. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The files of the shipped tokenizer. */
export const shippedFiles = {
  "tokenizer.json": file("../../assets/tokenizer/tokenizer.json"),
  "tokenizer_config.json": file("../../assets/tokenizer/tokenizer_config.json"),
  "vocab.txt": file("../../assets/tokenizer/vocab.txt")
}

/** The files of a small cased vocabulary, whose special pieces are not its first. */
export const casedFiles = {
  "vocab.txt": file("fixtures/cased/vocab.txt"),
  "tokenizer_config.json": file("fixtures/cased/tokenizer_config.json")
}

/** The tokenizer of files that are known to be good. */
export const tokenizerOf = (files: TokenizerBytes): Tokenizer => Effect.runSync(tokenizerOfFiles(files))

const Ids = Schema.Array(Schema.Int)
const Golden = Schema.fromJsonString(
  Schema.Struct({
    texts: Schema.Array(Schema.Struct({ text: Schema.String, project: Ids, cased: Ids })),
    pairs: Schema.Array(
      Schema.Struct({ first: Schema.String, second: Schema.String, length: Schema.Int, ids: Ids, types: Ids })
    ),
    added: Schema.Array(
      Schema.Struct({
        tokens: Schema.Array(Schema.Json),
        cases: Schema.Array(Schema.Struct({ text: Schema.String, ids: Ids }))
      })
    ),
    characters: Schema.Record(Schema.String, Schema.String)
  })
)

/** What Python's tokenizers made of awkward texts (scripts/tokenizer-golden.py). */
export const golden = Schema.decodeUnknownSync(Golden)(new TextDecoder().decode(file("../golden/tokenizers.json")))
