import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { OnnxBackend } from "homodistil/backend"
import { HuggingFace } from "homodistil/checkpoint"
import { heldOutBatches, loadDataset, loadTokenizer, tokenizerDirectory } from "homodistil/data"
import { HeldOut, Similarity } from "homodistil/evaluate"
import { BertConfig, Head, Parameters } from "homodistil/model"
import { Seed } from "homodistil/spec"
import { golden } from "../golden/golden.ts"
import { command } from "./terminal.ts"
import { tinyConfig, tinyModel, writeTinyTeacher } from "./tinyTeacher.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-evaluate-"))
const at = (...path: ReadonlyArray<string>): string => join(folder, ...path)
const files = <A, E>(effect: Effect.Effect<A, E, NodeServices.NodeServices>): Promise<A> =>
  Effect.runPromise(effect.pipe(Effect.provide(NodeServices.layer)))

const narrow = { ...tinyConfig, ffn: [4] }
const student = {
  config: narrow,
  parameters: Parameters.initialise(Parameters.bert(narrow), BertConfig.axes(narrow), Seed.make("student"))
}

beforeAll(() =>
  files(Effect.all([writeTinyTeacher(at("teacher")), writeTinyTeacher(at("student"), student)], { discard: true }))
)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const evaluate = (...more: ReadonlyArray<string>) => command(["evaluate", "--model", at("student"), ...more])

const cellsOf = (out: string) =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => line.trim().split(/ {2,}/))

describe("evaluate", () => {
  it("tells of a model alone, without what only a comparison has", async () => {
    const { code, out, error } = await evaluate("--rows", "8")
    assert.deepStrictEqual([code, error], [0, ""])
    const names = ["parameters", "size on disk", "time for 64 pieces", "masked-LM loss", "masked-LM accuracy"]
    assert.deepStrictEqual(
      cellsOf(out).map(([name]) => name),
      names
    )
  })

  it("puts it beside its teacher: the numbers of the evaluation room, on Brown's test rows", async () => {
    const asked = ["--teacher", at("teacher"), "--rows", "16", "--length", "32"]
    const { code, out } = await evaluate(...asked, "--json")
    assert.strictEqual(code, 0)
    const given = JSON.parse(out) as { readonly [name: string]: unknown }
    const expected = await files(
      Effect.gen(function* () {
        const tokenizer = yield* loadTokenizer(yield* tokenizerDirectory)
        const dataset = yield* loadDataset({ tokenizer })
        const { batches } = heldOutBatches(dataset, { split: "test", count: 16, rows: 16, length: 32 })
        const reference = yield* HeldOut.reference(tinyModel(), batches)
        return {
          model: yield* HeldOut.measure(student, reference),
          teacher: yield* HeldOut.measure(tinyModel(), reference)
        }
      }).pipe(Effect.scoped, Effect.provide(OnnxBackend.layer({ threads: 1 })))
    )
    const { loss, accuracy, discrepancy } = expected.model
    const count = (config: BertConfig.BertConfig) => Parameters.count(Parameters.bert(config), BertConfig.axes(config))
    assert.isAbove(discrepancy, 0)
    assert.deepInclude(given["model"], { loss, accuracy, discrepancy, parameters: count(narrow) })
    assert.deepInclude(given["teacher"], {
      loss: expected.teacher.loss,
      accuracy: expected.teacher.accuracy,
      bytes: 4 * count(tinyConfig)
    })
    assert.deepInclude(given, { rows: 16, length: 32, masked: expected.model.tokens })

    const table = cellsOf((await evaluate(...asked)).out)
    assert.deepStrictEqual(table[0], ["teacher", "model"])
    const row = (name: string) => table.find(([first]) => first === name)
    assert.strictEqual(row("masked-LM loss")?.[2], `${loss.toFixed(3)} nats`)
    assert.deepStrictEqual(row("discrepancy to the teacher"), [
      "discrepancy to the teacher",
      "0.000 nats",
      `${discrepancy.toFixed(3)} nats`
    ])
    assert.strictEqual(row("speed-up, measured")?.[1], "1.00x")
  })

  it("measures on text of one's own, and asks for more where there is too little", async () => {
    const documents = Array.from({ length: 300 }, (_, n) => `${n}: ${"the cat sat on the mat ".repeat(12)}`)
    writeFileSync(at("text.txt"), documents.join("\n\n"))
    const { code, out } = await evaluate("--text", at("text.txt"), "--rows", "4", "--json")
    assert.strictEqual(code, 0)
    const brown = JSON.parse((await evaluate("--rows", "4", "--json")).out) as { readonly data: string }
    const own = JSON.parse(out) as { readonly data: string; readonly model: object }
    assert.notStrictEqual(own.data, brown.data)
    assert.notProperty(own.model, "discrepancy")
    assert.match((await evaluate("--text", at("text.txt"))).error, /^--text = text for \d+ test rows of 64 pieces/)
    assert.match((await evaluate("--text", at("none.txt"))).error, /^--text = .*none\.txt/)
  })

  it("refuses what it cannot measure", async () => {
    const refused = async (pattern: RegExp, ...args: ReadonlyArray<string>) => {
      const { code, out, error } = await evaluate(...args)
      assert.deepStrictEqual([code, out], [1, ""])
      assert.match(error, pattern)
    }
    await refused(
      /^--rows = 200: must be .*128.*\n--length = 7: must be .*\n--threads = 0/,
      "--rows",
      "200",
      "--length",
      "7",
      "--threads",
      "0"
    )
    await refused(/^--length = 65: must be at most 64, the positions of --model /, "--length", "65")
    await refused(/^--rows = /, "--rows", "12800000")
    await refused(/^--teacher = .*: must be a folder with config\.json/, "--teacher", at("nowhere"))
    const bare = { ...tinyConfig, head: "none" as const }
    const encoder = {
      config: bare,
      parameters: Parameters.initialise(Parameters.bert(bare), BertConfig.axes(bare), Seed.make(0))
    }
    await files(HuggingFace.write(at("encoder"), encoder))
    const { code, error } = await command(["evaluate", "--model", at("encoder")])
    assert.strictEqual(code, 1)
    assert.match(
      error,
      /^--model = .*encoder: must be a model with a masked-language-model head, .* homodistil adapt, or give --teacher/
    )
  })

  it("compares states, on whole text, where one of two models has no head", async () => {
    const { config, parameters } = Head.remove(student)
    await files(HuggingFace.write(at("bare"), { config, parameters }))
    const asked = ["evaluate", "--model", at("bare"), "--teacher", at("teacher"), "--rows", "16", "--length", "32"]
    const { code, out } = await command([...asked, "--json"])
    assert.strictEqual(code, 0)
    const expected = await files(
      Effect.gen(function* () {
        const tokenizer = yield* loadTokenizer(yield* tokenizerDirectory)
        const dataset = yield* loadDataset({ tokenizer })
        const options = { split: "test", count: 16, rows: 16, length: 32, maskRate: 0 } as const
        const reference = yield* Similarity.reference(tinyModel(), heldOutBatches(dataset, options).batches)
        return yield* Similarity.measure({ config, parameters }, reference)
      }).pipe(Effect.scoped, Effect.provide(OnnxBackend.layer({ threads: 1 })))
    )
    const given = JSON.parse(out) as { readonly [name: string]: unknown }
    const { states, sentences, cosine } = expected
    assert.deepInclude(given["model"], { cka: states, correlation: sentences, cosine })
    assert.notProperty(given["model"], "loss")
    const table = cellsOf((await command(asked)).out)
    assert.deepStrictEqual(
      table.find(([name]) => name === "similarities of texts: correlation"),
      ["similarities of texts: correlation", "1.000", sentences.toFixed(3)]
    )
  })

  it("refuses a teacher of another vocabulary", async () => {
    const pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c"]
    const vocabulary = Array.from({ length: 4096 }, (_, i) => pieces[i] ?? `##x${i}`)
    const tokenizerFiles = { "vocab.txt": new TextEncoder().encode(`${vocabulary.join("\n")}\n`) }
    await files(writeTinyTeacher(at("other"), { ...tinyModel(), tokenizerFiles }))
    const { error } = await evaluate("--teacher", at("other"))
    assert.match(error, /^--teacher = .*other: must be a model with the vocabulary of .*student/)
  })
})

describe("--help", () => {
  it("homodistil evaluate", async () => {
    const { code, out } = await command(["evaluate", "--help"])
    assert.strictEqual(code, 0)
    golden("help-evaluate.txt", out)
  })
})
