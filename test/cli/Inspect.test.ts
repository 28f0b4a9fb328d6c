import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { Tensor } from "homodistil/backend"
import type { Inspection } from "homodistil/checkpoint"
import { HuggingFace } from "homodistil/checkpoint"
import { BertConfig, Parameters } from "homodistil/model"
import { Seed } from "homodistil/spec"
import * as InspectionView from "../../src/cli/InspectionView.ts"
import { golden } from "../golden/golden.ts"
import { command, root } from "./terminal.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-inspect-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const write = async (name: string, config: BertConfig.BertConfig, more: Partial<HuggingFace.Contents> = {}) => {
  const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0))
  const at = join(folder, name)
  await Effect.runPromise(
    HuggingFace.write(at, { config, parameters, ...more }).pipe(Effect.provide(NodeServices.layer))
  )
  return at
}

const uneven: BertConfig.BertConfig = {
  ...BertConfig.uniform({ vocabSize: 50, positions: 8, layers: 3, heads: 2, hidden: 6, ffn: 4 }),
  ffn: [5, 5, 2],
  qk: [2, 2, 4]
}

const inspection = (config: BertConfig.BertConfig): Inspection.Inspection => ({
  config,
  architectures: [],
  files: [],
  stored: {},
  pooler: false,
  ignored: [],
  tokenizerFiles: {}
})

const told = { folder: "x", length: 4, tokenizer: { reason: "none" } }

const configs = fc
  .record({
    vocabSize: fc.integer({ min: 1, max: 50 }),
    positions: fc.integer({ min: 4, max: 9 }),
    layers: fc.integer({ min: 1, max: 4 }),
    heads: fc.integer({ min: 1, max: 3 }),
    hidden: fc.integer({ min: 1, max: 4 }).map((n) => 6 * n),
    ffn: fc.integer({ min: 1, max: 9 })
  })
  .map(BertConfig.uniform)

describe("InspectionView", () => {
  it("counts every parameter once: in the embedding, a layer, the pooler or the head", () => {
    fc.assert(
      fc.property(configs, fc.boolean(), fc.boolean(), (given, bare, pooler) => {
        const config: BertConfig.BertConfig = bare ? { ...given, head: "none" } : given
        const summary = InspectionView.summary({ ...inspection(config), pooler }, told)
        const { parameters: p, layers, memory, flops, transformers } = summary
        const { hidden } = config
        assert.strictEqual(p.pooler, pooler ? hidden ** 2 + hidden : 0)
        assert.strictEqual(p.total - p.pooler, Parameters.count(Parameters.bert(config), BertConfig.axes(config)))
        assert.strictEqual(p.total, p.embedding + p.encoder + p.pooler + p.head)
        const line = InspectionView.render(summary).find((each) => each.startsWith("  pooler"))
        assert.strictEqual(line?.trim().split(/ +/)[1], pooler ? p.pooler.toLocaleString("en") : undefined)
        assert.strictEqual(
          p.encoder,
          layers.reduce((sum, { parameters }) => sum + parameters, 0)
        )
        assert.strictEqual(memory.weights, 4 * p.total)
        assert.strictEqual(flops.head > 0, !bare)
        assert.deepStrictEqual(transformers, { class: bare ? "AutoModel" : "AutoModelForMaskedLM" })
      })
    )
  })

  it("says why transformers cannot load widths of each layer, or another factor on scores", () => {
    const of = (config: BertConfig.BertConfig) => InspectionView.summary(inspection(config), told).transformers
    const reasons = JSON.stringify(of(uneven))
    assert.match(reasons, /ffn \[5, 5, 2\] differs between layers/)
    const config = BertConfig.uniform({ vocabSize: 5, positions: 4, layers: 1, heads: 1, hidden: 4, ffn: 4 })
    assert.match(JSON.stringify(of({ ...config, scale: 0.3 })), /factor on attention scores is 0\.300, not 0\.500/)
  })

  it("shows nothing of a file that a terminal would obey", () => {
    const evil = `a\u001b[2Jb\u009b2Jc\nd\u202ee`
    const lines = InspectionView.render(
      InspectionView.summary(
        {
          ...inspection(uneven),
          architectures: [evil],
          files: [{ name: evil, bytes: 1 }],
          ignored: [evil],
          provenance: { [evil]: evil }
        },
        { ...told, tokenizer: { reason: evil } }
      )
    )
    assert.isFalse(/[\p{Cc}\p{Cf}]/u.test(lines.join("")))
  })
})

describe("Inspect", () => {
  it("tells of a student of uneven widths, layers that are alike in one line", async () => {
    const at = await write("uneven", uneven, { provenance: { command: "homodistil distill", seed: 3, spec: { a: 1 } } })
    const { code, out, error } = await command(["inspect", at])
    assert.deepStrictEqual([code, error], [0, ""])
    golden("inspect.txt", out.replace(at, "student"))
  })

  it("tells of the shipped teacher, with its tokenizer", async () => {
    const { code, out } = await command(["inspect", join(root, "assets", "teacher")])
    assert.strictEqual(code, 0)
    assert.match(out, /BertForMaskedLM, 1\.35M parameters\n/)
    assert.match(out, /4,096 pieces, lower case, without accents\n/)
    assert.match(out, /transformers: AutoModelForMaskedLM\n/)
  })

  it("counts a pooler, and no longer among what has no use", async () => {
    const numbers = (shape: ReadonlyArray<number>) => Tensor.host(new Float32Array(Tensor.elements(shape)), shape)
    const at = await write("pooled", uneven, { pooler: { weight: numbers([6, 6]), bias: numbers([6]) } })
    const { code, out } = await command(["inspect", at])
    assert.strictEqual(code, 0)
    assert.match(
      out,
      /\n {2}encoder +610 +54\.1 %\n {2}pooler +42 +3\.7 %\n {2}head +104 .*\n {2}total +1,128 +100\.0 %\n/
    )
    assert.match(out, /1,128 numbers in F32\n/)
    assert.notInclude(out, "not used by homodistil")
  })

  it("gives everything as JSON, and the digest when asked", async () => {
    const at = await write("json", uneven)
    const { out } = await command(["inspect", at, "--json", "--digest", "--length", "3"])
    const summary = JSON.parse(out) as Record<string, unknown>
    const read = await Effect.runPromise(HuggingFace.read(at).pipe(Effect.provide(NodeServices.layer)))
    assert.strictEqual(summary["digest"], read.digest)
    assert.deepStrictEqual(summary["config"], uneven)
    assert.strictEqual(summary["length"], 3)
    assert.notProperty(JSON.parse((await command(["inspect", at, "--json"])).out), "digest")
  })

  it("refuses what is no checkpoint, and lengths it has no positions for", async () => {
    const at = await write("broken", uneven)
    assert.match(
      (await command(["inspect", at, "--length", "9"])).error,
      /^--length = 9: must be a whole number from 1 to 8/
    )
    writeFileSync(join(at, "config.json"), '{"model_type":"roberta"}')
    const { code, out, error } = await command(["inspect", at])
    assert.deepStrictEqual([code, out], [1, ""])
    assert.match(error, /model_type in .*config\.json = "roberta": must be "bert"/)
    assert.match(
      (await command(["inspect", join(folder, "no")])).error,
      /^DIR = .*: must be a folder with config\.json/
    )
  })
})

describe("--help", () => {
  it("homodistil inspect", async () => {
    const { code, out } = await command(["inspect", "--help"])
    assert.strictEqual(code, 0)
    golden("help-inspect.txt", out)
  })
})
