import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { HuggingFace } from "homodistil/checkpoint"
import { DistillPlan, Method } from "homodistil/distill"
import { BertConfig } from "homodistil/model"
import { WidthTarget } from "homodistil/pruning"
import * as Distill from "../../src/cli/Distill.ts"
import * as DistillReport from "../../src/cli/DistillReport.ts"
import { command } from "./terminal.ts"
import { tinyConfig, writeTinyTeacher } from "./tinyTeacher.ts"

const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.homoDistil({ ratio: 0.5 }))))

describe("Distill.towards", () => {
  it("leaves a plan as it is that ends at the widths anyway", () => {
    const half = { hidden: 64, ffn: 256, qk: 64, vo: 64 }
    assert.strictEqual(Distill.towards(plan, BertConfig.micro, half), plan)
    assert.strictEqual(Distill.towards(plan, BertConfig.micro, undefined), plan)
  })

  it("ends at the widths that were asked for", () => {
    for (const widths of [...WidthTarget.ladder(BertConfig.micro).slice(1), { hidden: 64, ffn: 300, qk: 64, vo: 64 }]) {
      const targeted = Distill.towards(plan, BertConfig.micro, widths)
      assert.deepEqual(WidthTarget.of(DistillReport.ending(targeted, BertConfig.micro)), widths)
    }
  })
})

const folder = mkdtempSync(join(tmpdir(), "homodistil-features-"))
const at = (...path: ReadonlyArray<string>): string => join(folder, ...path)
const files = <A, E>(effect: Effect.Effect<A, E, NodeServices.NodeServices>): Promise<A> =>
  Effect.runPromise(effect.pipe(Effect.provide(NodeServices.layer)))
const encoder = { ...tinyConfig, head: "none" as const }

beforeAll(() => files(Effect.all([writeTinyTeacher(at("bare"), { config: encoder }), writeTinyTeacher(at("whole"))])))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const shape = "--scorer magnitude --ratio .5 --batch 2 --steps 4 --prune-every 2".split(" ")
const distill = (teacher: string, ...more: ReadonlyArray<string>) =>
  command(["distill", "--teacher", at(teacher), "--store", at("runs"), ...shape, ...more])

describe("distill --loss", () => {
  it("refuses a bare encoder for the usual loss, and says both that can be done", async () => {
    const { code, error } = await distill("bare", "--out", at("x"))
    assert.strictEqual(code, 1)
    assert.match(
      error,
      /^--teacher = .*bare: must be a model with a masked-language-model head, which the loss homodistil needs; .*homodistil adapt.*--loss features/
    )
  })

  it.each([
    ["features", "bare", []],
    ["features", "whole", ["--mode", "masked"]],
    ["relations", "bare", []]
  ] as const)("%s makes of a %s encoder a student without a head", async (loss, teacher, more) => {
    const out = at(`${loss}-${teacher}`)
    const { code, out: shown, error } = await distill(teacher, "--out", out, "--loss", loss, ...more)
    assert.strictEqual(code, 0, error)
    assert.match(error, /\nabout [\d.]+ \w+ here, good to a factor of 2\n/)
    assert.match(error, /1 - CKA \d/)
    const names = shown.split("\n").map((line) => line.trim().split(/ {2,}/)[0])
    assert.include(names, "hidden states: CKA to the teacher's")
    assert.include(names, "similarities of texts: correlation")
    assert.notInclude(shown, "masked-LM")
    // of another width, states cannot be laid side by side
    assert.notInclude(shown, "cosine")
    const student = await files(HuggingFace.read(out))
    assert.deepStrictEqual([student.config.head, student.config.hidden, student.config.ffn], ["none", 4, [8]])
    assert.include(JSON.stringify(student.provenance), `--loss ${loss}`)
    assert.match(JSON.stringify(student.provenance), /"heldOut":\{"states":[\d.]+,"sentences":[-\d.]+,"rows":1024\}/)
    assert.include(readFileSync(join(out, "README.md"), "utf8"), 'pipeline_tag: "feature-extraction"')
  })
})

describe("distill --heads", () => {
  it("takes the teacher's, and refuses others with the head width to ask for", async () => {
    const { code, error } = await distill("whole", "--out", at("x"), "--heads", "1")
    assert.strictEqual(code, 1)
    assert.match(error, /^--heads = 1: must be 2, the heads of the teacher: .*use --head-width 2: 2 heads of 2 units/)
  })
})
