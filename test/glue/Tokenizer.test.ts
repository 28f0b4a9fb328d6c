import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { tokenizerOfFiles } from "homodistil/data"

// the folder of a BERT with tokenizer.json, and a Python that has the package tokenizers; GLUE as in official.test.ts
const beside = fileURLToPath(new URL("../../../shared/data/glue", import.meta.url))
const {
  HOMODISTIL_GLUE: glue = beside,
  HOMODISTIL_BERT: bert = "",
  HOMODISTIL_PYTHON: python = "python3"
} = process.env
const files = ["SST-2/train.tsv", "SST-2/dev.tsv", "MRPC/train.tsv", "MRPC/dev.tsv"].map((name) => join(glue, name))
const tokenizerFile = join(bert, "tokenizer.json")
const there = [...files, tokenizerFile].every((file) => existsSync(file))

const oracle = `
import json, sys
from tokenizers import Tokenizer
tokenizer = Tokenizer.from_file(sys.argv[1])
tokenizer.no_truncation()
tokenizer.no_padding()
for encoded in tokenizer.encode_batch(json.load(sys.stdin), add_special_tokens=False):
    print(*encoded.ids, sep=",")
`

describe.skipIf(!there)("tokenization of real GLUE (HOMODISTIL_BERT names a folder with tokenizer.json)", () => {
  it("is that of Python's tokenizers on every field of SST-2 and MRPC", async () => {
    const texts = files.flatMap((file) =>
      readFileSync(file, "utf8")
        .split(/\r?\n/)
        .flatMap((line) => line.split("\t"))
    )
    const tokenizer = await Effect.runPromise(tokenizerOfFiles({ "tokenizer.json": readFileSync(tokenizerFile) }, bert))
    const ran = spawnSync(python, ["-c", oracle, tokenizerFile], {
      input: JSON.stringify(texts),
      encoding: "utf8",
      maxBuffer: 2 ** 30
    })
    assert.strictEqual(ran.status, 0, ran.stderr)
    const lines = ran.stdout.split("\n").slice(0, -1)
    assert.strictEqual(lines.length, texts.length)
    assert.isAbove(texts.length, 100_000)
    texts.forEach((text, n) => {
      // equal strings are told much faster than equal arrays
      if (tokenizer.encode(text).join() !== lines[n]) assert.fail(`${JSON.stringify(text)}: ${lines[n]}`)
    })
  }, 300_000)
})
