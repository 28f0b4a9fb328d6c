import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { type HostTensor, Tensor } from "homodistil/backend"
import { HuggingFace, HuggingFaceWeights, HuggingFaceWidths, Safetensors } from "homodistil/checkpoint"
import { type Model, type Tokens } from "homodistil/model"
import { encoded, engines, gap } from "../checkpoint/encoded.ts"
import { own, saved } from "./configs.ts"
import { type Oracle, start } from "./Oracle.ts"
import { studentOf } from "./students.ts"

// a Python that has torch and transformers, and how many models are drawn in each direction
const { HOMODISTIL_PYTHON: python = "", HOMODISTIL_MODELS: models = "60" } = process.env
const numRuns = Number(models)
if (python === "")
  process.stdout.write(
    "test:transformers: skipped; set HOMODISTIL_PYTHON to a Python that has torch, transformers and safetensors\n"
  )
const tolerance = 1e-4

const decodeAnswer = Schema.decodeUnknownSync(
  Schema.Struct({
    float32: Schema.Finite,
    class: Schema.optionalKey(Schema.String),
    strange: Schema.optionalKey(Schema.Array(Schema.String))
  })
)

type Values = { readonly [name: string]: HostTensor }

/** The batch that the oracle ran. */
const tokensOf = ({ ids, mask, types }: Values): Tokens.Tokens => {
  const [rows = 0, length = 0] = ids?.shape ?? []
  const integers = (tensor: HostTensor) => Int32Array.from(tensor.data)
  return {
    rows,
    length,
    ids: integers(ids ?? Tensor.host([])),
    ...(mask === undefined ? {} : { attention: Float32Array.from(mask.data) }),
    ...(types === undefined ? {} : { types: integers(types) })
  }
}

const read = (folder: string) => Effect.runPromise(Effect.provide(HuggingFace.read(folder), NodeServices.layer))

describe.skipIf(python === "")("random BERTs (HOMODISTIL_PYTHON names a Python with torch and transformers)", () => {
  const folder = mkdtempSync(join(tmpdir(), "homodistil-transformers-"))
  const at = (name: string) => join(folder, name)
  const result = at("result.safetensors")
  /** The largest difference seen, and the largest of float32 from float64 in `transformers` itself. */
  const largest = { ours: 0, theirs: 0 }
  let oracle: Oracle | undefined
  let count = 0

  beforeAll(async () => {
    oracle = await start(python)
  }, 900_000)

  afterAll(() => {
    oracle?.close()
    rmSync(folder, { recursive: true, force: true })
    process.stdout.write(
      `${count} models: differ by at most ${largest.ours.toExponential(1)} from float64 in transformers, whose float32 differs by ${largest.theirs.toExponential(1)}\n`
    )
  })

  /** Has the oracle do something, and takes what it ran and computed from the file it left. */
  const asked = async (request: object) => {
    const answer = decodeAnswer(await oracle?.ask({ ...request, result }))
    const { values } = Result.getOrThrow(Safetensors.decode(readFileSync(result)))
    largest.theirs = Math.max(largest.theirs, answer.float32)
    return { ...answer, values }
  }

  /** Every hidden state and all logits of a model against the oracle's, on both engines. */
  const compare = async (model: Model.Model, { values, float32 }: { values: Values; float32: number }) => {
    // now and then a draw is one whose rounding alone goes further: then as far as a few times that of transformers
    const bound = Math.max(tolerance, 3 * float32)
    const expected = Object.entries(values).filter(([name]) => /^(hidden|logits)/.test(name))
    const tokens = tokensOf(values)
    for (const engine of Object.keys(engines) as ReadonlyArray<keyof typeof engines>) {
      const made = await encoded(engine, model, tokens)
      const { all } = made.logits
      const found: Values = { ...made.states, ...(all === undefined ? {} : { logits: all }) }
      assert.sameMembers(
        Object.keys(found),
        expected.map(([name]) => name)
      )
      for (const [name, wanted] of expected) {
        const difference = gap(found[name], wanted)
        largest.ours = Math.max(largest.ours, difference)
        assert.isAtMost(difference, bound, `${name} on ${engine}`)
        // numbers that are all near zero would agree with anything
        assert.isAbove(Math.max(...wanted.data.map(Math.abs)), 0.05, name)
      }
    }
    count++
  }

  it(`that transformers writes give what it computes, ${numRuns} of them`, async () => {
    await fc.assert(
      fc.asyncProperty(saved, async (drawn) => {
        rmSync(at("saved"), { recursive: true, force: true })
        const made = await asked({ do: "write", folder: at("saved"), ...drawn })
        await compare(await read(at("saved")), made)
      }),
      { numRuns }
    )
  })

  it(`that were pruned and written load in transformers, give what was computed, and come back as they were, ${numRuns} of them`, async () => {
    await fc.assert(
      fc.asyncProperty(own, async (drawn) => {
        const student = studentOf(drawn)
        assert.isUndefined(HuggingFaceWidths.problem(student.config))
        const written = HuggingFaceWeights.withUsualScale(student)
        await Effect.runPromise(Effect.provide(HuggingFace.write(at("own"), written), NodeServices.layer))
        rmSync(at("again"), { recursive: true, force: true })
        const bare = drawn.head === "none"
        const { sizes, shard } = drawn
        const made = await asked({ do: "load", folder: at("own"), again: at("again"), ...sizes, shard, bare })
        assert.deepStrictEqual([made.class, made.strange], [bare ? "BertModel" : "BertForMaskedLM", []])
        await compare(student, made)
        const again = await read(at("again"))
        assert.deepStrictEqual(again.config, written.config)
        assert.strictEqual(again.digest, HuggingFace.digest(written))
      }),
      { numRuns }
    )
  })
})
