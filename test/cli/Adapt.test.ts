import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { HuggingFace } from "homodistil/checkpoint"
import { BertConfig, Parameters } from "homodistil/model"
import { Seed } from "homodistil/spec"
import { command } from "./terminal.ts"
import { tinyConfig, tinyPooler } from "./tinyTeacher.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-adapt-"))
const at = (...path: ReadonlyArray<string>): string => join(folder, ...path)
const files = <A, E>(effect: Effect.Effect<A, E, NodeServices.NodeServices>): Promise<A> =>
  Effect.runPromise(effect.pipe(Effect.provide(NodeServices.layer)))

const config = { ...tinyConfig, head: "none" as const }
const encoder = {
  config,
  parameters: Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make("bare")),
  pooler: tinyPooler()
}

beforeAll(() => files(HuggingFace.write(at("encoder"), encoder)))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const adapt = (out: string, ...more: ReadonlyArray<string>) =>
  command(["adapt", "--model", at("encoder"), "--out", at(out), "--steps", "8", "--batch", "4", "--quiet", ...more])

describe("adapt", () => {
  it("gives a bare encoder a head and leaves the encoder as it is", async () => {
    const { code, out, error } = await adapt("frozen", "--every", "4")
    assert.deepStrictEqual([code, error], [0, ""])
    assert.match(out, /frozen: held-out loss \d\.\d{3}, accuracy [\d.]+ %, in /)
    const { config: adapted, parameters, pooler, provenance } = await files(HuggingFace.read(at("frozen")))
    assert.deepStrictEqual(adapted, tinyConfig)
    for (const [name, value] of Object.entries(encoder.parameters)) assert.deepStrictEqual(parameters[name], value)
    assert.deepStrictEqual(pooler, encoder.pooler)
    assert.match(JSON.stringify(provenance), /homodistil adapt --model .* --encoder frozen/)
    assert.include(readFileSync(at("frozen", "config.json"), "utf8"), "BertForMaskedLM")
  })

  it("tells the held-out loss before, on the way and at the end, as every PretrainingRun from given weights does", async () => {
    const args = [
      "adapt",
      "--model",
      at("encoder"),
      "--out",
      at("told"),
      "--steps",
      "4",
      "--batch",
      "2",
      "--every",
      "2"
    ]
    const { code, error } = await command(args)
    assert.strictEqual(code, 0)
    const told = error.split("\n").filter((line) => line.includes("held-out loss"))
    const steps = told.map((line) => / (\d)\/4 /.exec(line)?.[1])
    assert.includeMembers(steps, ["0", "2", "4"])
  })

  it("moves all of it where that is asked for, away from the pooler", async () => {
    const { code } = await adapt("trained", "--encoder", "trained", "--learning-rate", "1e-2")
    assert.strictEqual(code, 0)
    const { parameters, pooler } = await files(HuggingFace.read(at("trained")))
    assert.isUndefined(pooler)
    const moved = Object.entries(encoder.parameters).filter(([name, { data }]) =>
      data.some((value, i) => value !== parameters[name]?.data[i])
    )
    assert.isAbove(moved.length, 10)
  })

  it("makes a teacher of it, which distillation refuses before", async () => {
    const distil = (teacher: string) =>
      command([
        "distill",
        "--teacher",
        at(teacher),
        "--out",
        at("student"),
        "--steps",
        "2",
        "--window",
        "2",
        "--prune-every",
        "2",
        "--store",
        at("runs"),
        "--quiet"
      ])
    const refused = await distil("encoder")
    assert.deepStrictEqual([refused.code, existsSync(at("student"))], [1, false])
    assert.match(
      refused.error,
      /^--teacher = .*encoder: must be a model with a masked-language-model head.*homodistil adapt/
    )
  })

  it("names every setting that is wrong", async () => {
    const { code, error } = await adapt("no", "--encoder", "thawed", "--learning-rate", "-1", "--length", "4")
    assert.strictEqual(code, 1)
    assert.match(error, /--encoder = thawed.*frozen, trained/)
    assert.match(error, /--learning-rate = -1: must be above 0/)
    assert.match(error, /--length = 4: must be a whole number from 8 to 512/)
  })
})
