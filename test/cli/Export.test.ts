import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { HuggingFace } from "homodistil/checkpoint"
import * as Export from "../../src/cli/Export.ts"
import { distance, eager, run } from "../checkpoint/onnx/runtime.ts"
import { golden } from "../golden/golden.ts"
import { command, root } from "./terminal.ts"
import { tinyConfig, writeTinyTeacher } from "./tinyTeacher.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-export-"))
const at = (...path: ReadonlyArray<string>): string => join(folder, ...path)
const files = <A, E>(effect: Effect.Effect<A, E, NodeServices.NodeServices>): Promise<A> =>
  Effect.runPromise(effect.pipe(Effect.provide(NodeServices.layer)))

beforeAll(() => files(writeTinyTeacher(at("bare"))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const batch = {
  rows: 2,
  length: 4,
  ids: Int32Array.of(2, 9, 4, 3, 2, 3, 0, 0),
  types: new Int32Array(8),
  attention: Float32Array.of(1, 1, 1, 1, 1, 1, 0, 0)
}

describe("export onnx", () => {
  it("writes the model's graphs and its tokenizer, and tells their sizes", async () => {
    const tokenizerFiles = await files(HuggingFace.readTokenizerFiles(join(root, "assets", "tokenizer")))
    await files(writeTinyTeacher(at("model"), { tokenizerFiles, provenance: { seed: 5 } }))
    const { code, out, error } = await command(["export", "onnx", "--model", at("model"), "--out", at("out"), "--int8"])
    assert.deepStrictEqual([code, error], [0, ""])
    assert.match(
      out,
      /^onnx\/model\.onnx +[\d.]+k bytes\nonnx\/model_quantized\.onnx +[\d.]+k bytes\nWritten to .*logits, opset 17\.\n$/
    )
    const model = await files(HuggingFace.read(at("model")))
    const { data, names } = await run(readFileSync(at("out", "onnx", "model.onnx")), batch)
    assert.deepStrictEqual([...names], ["logits"])
    assert.isBelow(distance(data, await eager(model, "masked-lm", batch)), 1e-4)
    const from = JSON.parse(readFileSync(at("out", "provenance.json"), "utf8")) as Record<string, unknown>
    assert.strictEqual(from["model"], model.digest)
    assert.deepStrictEqual(from["from"], { seed: 5 })
    assert.deepStrictEqual(
      readFileSync(at("out", "tokenizer.json")),
      readFileSync(join(root, "assets", "tokenizer", "tokenizer.json"))
    )
  })

  it("gives features where there is no head, says what is missing of a tokenizer", async () => {
    const args = ["export", "onnx", "--model", at("bare"), "--task", "features", "--out", at("features")]
    const { code, out, error } = await command(args)
    assert.strictEqual(code, 0)
    assert.match(out, /last_hidden_state/)
    assert.match(error, /has no tokenizer\.json and no tokenizer_config\.json, which @huggingface\/transformers needs/)
    assert.deepStrictEqual(readdirSync(at("features", "onnx")), ["model.onnx"])
    await files(writeTinyTeacher(at("encoder"), { config: { ...tinyConfig, head: "none" } }))
    const encoder = await command(["export", "onnx", "--model", at("encoder"), "--out", at("encoded")])
    assert.match(encoder.out, /last_hidden_state/)
    const logits = await command(["export", "onnx", "--model", at("encoder"), "--out", at("no"), "--task", "masked-lm"])
    assert.deepStrictEqual([logits.code, logits.out], [1, ""])
    assert.match(logits.error, /^--task = masked-lm: must be features for a model without/)
    assert.isFalse(existsSync(at("no")))
  })

  it.each([
    [["--model", "nowhere", "--out", at("no")], /^--model = nowhere: must be a folder with config\.json/],
    [["--model", at("bare"), "--out", at("no"), "--task", "ner"], /^--task = ner: must be one of masked-lm, features/],
    [
      ["--model", at("bare"), "--out", at("bare")],
      /^cannot write .*bare: the folder holds other files \(model\.safetensors/
    ]
  ])("refuses %j", async (args, said) => {
    const { code, out, error } = await command(["export", "onnx", ...args])
    assert.deepStrictEqual([code, out], [1, ""])
    assert.match(error, said)
    assert.isFalse(existsSync(at("no")))
  })

  it("has nothing to say of a whole tokenizer", () => {
    const bytes = new Uint8Array(1)
    assert.strictEqual(Export.missingTokenizer({ "tokenizer.json": bytes, "tokenizer_config.json": bytes }, "x"), "")
    assert.match(Export.missingTokenizer({ "tokenizer_config.json": bytes }, "x"), /^x has no tokenizer\.json, which/)
  })
})

describe("--help", () => {
  it.each(["export", "export onnx"])("homodistil %s", async (name) => {
    const { code, out } = await command([...name.split(" "), "--help"])
    assert.strictEqual(code, 0)
    golden(`help-${name.replace(" ", "-")}.txt`, out)
  })
})
