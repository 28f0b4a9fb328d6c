import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type HostTensor, Tensor } from "../../src/backend/index.ts"
import { HuggingFace, Safetensors } from "../../src/checkpoint/index.ts"
import { encoded, engines, gap } from "./encoded.ts"

// made by scripts/bert-golden.py: what transformers computes with directories of its own
const golden = fileURLToPath(new URL("../golden/bert/", import.meta.url))
const cases = readdirSync(golden)

const read = (name: string) => Effect.runPromise(Effect.provide(HuggingFace.read(golden + name), NodeServices.layer))

const expectation = (name: string) => {
  const bytes = readFileSync(`${golden}${name}/expected.safetensors`)
  const { ids, mask, types, hidden, logits } = Result.getOrThrow(Safetensors.decode(bytes)).values
  const integers = (tensor: HostTensor | undefined) => Int32Array.from(tensor?.data ?? [])
  const [rows = 0, length = 0] = ids?.shape ?? []
  const attention = Float32Array.from(mask?.data ?? [])
  return { tokens: { rows, length, ids: integers(ids), attention, types: integers(types) }, hidden, logits }
}

describe.each(Object.keys(engines) as ReadonlyArray<keyof typeof engines>)("on the %s engine", (engine) => {
  it.each(cases)("%s gives what transformers gives, within 1e-4", async (name) => {
    const checkpoint = await read(name)
    const { tokens, hidden, logits } = expectation(name)
    const made = await encoded(engine, checkpoint, tokens)
    assert.isAtMost(gap(made.hidden, hidden), 1e-4)
    assert.strictEqual(made.logits["all"] === undefined, logits === undefined)
    if (logits !== undefined) assert.isAtMost(gap(made.logits["all"], logits), 1e-4)
  })
})

describe("the configuration of a directory", () => {
  it("is what its files say", async () => {
    const told = await Promise.all(
      cases.map(async (name) => {
        const { config, ignored, pooler } = await read(name)
        const { activation = "gelu", decoder = "tied", head = "present" } = config
        return [name, activation, decoder, head, pooler === undefined ? "none" : "pooler", ignored.join(" ")]
      })
    )
    assert.deepStrictEqual(told, [
      ["classifier-tanh", "tanh", "tied", "none", "pooler", "classifier.bias classifier.weight"],
      ["encoder-gelu-bfloat16", "gelu", "tied", "none", "pooler", ""],
      ["encoder-quick_gelu", "quick_gelu", "tied", "none", "pooler", ""],
      ["masked-gelu", "gelu", "tied", "present", "none", ""],
      ["masked-gelu_fast-long", "gelu_new", "tied", "present", "none", ""],
      ["masked-gelu_pytorch_tanh-sharded", "gelu_new", "tied", "present", "none", ""],
      ["masked-silu-float16", "silu", "tied", "present", "none", ""],
      [
        "pretraining-gelu_new-old",
        "gelu_new",
        "tied",
        "present",
        "pooler",
        "bert.embeddings.position_ids cls.seq_relationship.bias cls.seq_relationship.weight"
      ],
      ["untied-relu", "relu", "untied", "present", "none", "cls.predictions.bias"],
      ["untied-swish-equal", "silu", "tied", "present", "none", "cls.predictions.bias"]
    ])
  })
})

describe("an oracle that is off by a little", () => {
  it("would be noticed", () => {
    const tensor = Tensor.host([1, 2])
    assert.isAbove(gap(tensor, Tensor.host([1, 2.001])), 1e-4)
    assert.isNaN(gap(tensor, undefined))
  })
})
