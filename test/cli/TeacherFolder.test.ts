import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { HuggingFace } from "homodistil/checkpoint"
import { trainingBatches } from "homodistil/data"
import { BertConfig } from "homodistil/model"
import { Seed } from "homodistil/spec"
import * as TeacherFolder from "../../src/cli/TeacherFolder.ts"
import { bytes, casedFiles } from "../data/tokenizers.ts"
import { writeTinyTeacher } from "./tinyTeacher.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-teacher-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const config = (vocabSize: number) =>
  BertConfig.uniform({ vocabSize, positions: 32, layers: 1, heads: 2, hidden: 8, ffn: 16 })
const run = <A, E>(effect: Effect.Effect<A, E, NodeServices.NodeServices>) =>
  Effect.runPromise(Effect.provide(effect, NodeServices.layer))
const load = (name: string, tokenizerFiles: HuggingFace.TokenizerFiles, vocabSize = 384) =>
  Effect.gen(function* () {
    const directory = join(folder, name)
    yield* writeTinyTeacher(directory, { config: config(vocabSize), tokenizerFiles })
    return yield* TeacherFolder.load(directory, 32)
  })

describe("a teacher with a vocabulary of its own", () => {
  it("has the corpus cut by it, from vocab.txt alone, with special pieces and padding where they are", async () => {
    const { dataset, tokenizer, tokenizerFiles } = await run(load("cased", casedFiles))
    assert.strictEqual(tokenizer.vocabulary.length, 380)
    assert.deepStrictEqual(Object.keys(tokenizerFiles).toSorted(), ["tokenizer_config.json", "vocab.txt"])
    const batches = trainingBatches(dataset, { rows: 8, length: 32, maskRate: 0.5 })
    const { special, ordinary } = dataset
    const shown = new Set<number>()
    for (let step = 0; step < 20; step++) {
      const { ids, positions, labels } = batches.masked(Seed.make(0), step)
      for (let row = 0; row < 8; row++)
        assert.deepStrictEqual([ids[row * 32], ids[row * 32 + 31]], [special.cls, special.sep])
      positions.forEach((at, n) => {
        shown.add(ids[at] ?? -1)
        assert.isTrue(labels[n] === special.unknown || ordinary.includes(labels[n] ?? -1))
      })
    }
    assert.isTrue(shown.has(special.mask))
    for (const id of shown)
      assert.isTrue(id === special.mask || id === special.unknown || ordinary.includes(id), tokenizer.vocabulary[id])
  }, 120_000)

  it("is refused where its vocabulary is larger than the model's, or its files cannot be used", async () => {
    const refused = (name: string, files: HuggingFace.TokenizerFiles, size?: number) =>
      run(Effect.map(Effect.flip(load(name, files, size)), (error) => error.message))
    assert.match(await refused("small", casedFiles, 300), /vocabulary of the teacher: expected 300 pieces, got 380/)
    const bad = { ...casedFiles, "tokenizer_config.json": bytes('{"do_lower_case": 1}') }
    assert.match(await refused("bad", bad), /bad.tokenizer_config.json: do_lower_case: expected boolean, got 1/)
    const none = { "vocab.txt": bytes("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n") }
    assert.match(await refused("none", none), /none.vocab.txt: expected as special piece .*got \[MASK\]/)
  })
})
