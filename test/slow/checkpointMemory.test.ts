import { execFile } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Tensor } from "homodistil/backend"
import { HuggingFace, Safetensors } from "homodistil/checkpoint"
import { BertConfig, Parameters } from "homodistil/model"

const folder = mkdtempSync(join(tmpdir(), "homodistil-memory-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const { HOMODISTIL_BERT_BASE: base } = process.env
/** A model of 30 M parameters, or with HOMODISTIL_BERT_BASE set one of BERT-base's size. */
const config = BertConfig.uniform(
  base === undefined
    ? { vocabSize: 30522, positions: 512, layers: 8, heads: 8, hidden: 512, ffn: 1024 }
    : { vocabSize: 30522, positions: 512, layers: 12, heads: 12, hidden: 768, ffn: 3072 }
)
const small = BertConfig.uniform({ vocabSize: 9, positions: 9, layers: 1, heads: 1, hidden: 4, ffn: 4 })

/** Weights of these shapes; what they are does not matter here, but that every page of them is written does. */
const values = (of: BertConfig.BertConfig) =>
  Object.fromEntries(
    Object.entries(Parameters.signature(Parameters.bert(of), BertConfig.axes(of))).map(([name, { shape }]) => [
      name,
      { ...Tensor.host([]), shape, data: new Float32Array(Tensor.elements(shape)).map((_, i) => (i % 97) / 97) }
    ])
  )

const write = (name: string, of: BertConfig.BertConfig) => {
  const contents = { config: of, parameters: values(of) }
  return Effect.runPromise(Effect.provide(HuggingFace.write(join(folder, name), contents), NodeServices.layer))
}

/** The same weights as halves: the upper bytes of each number. */
const toBfloat16 = (name: string) => {
  const file = join(folder, name, "model.safetensors")
  const bytes = readFileSync(file)
  const { values: tensors } = Result.getOrThrow(Safetensors.decode(bytes))
  let at = 0
  const entries = Object.entries(tensors).map(([key, { shape, data }]) => {
    const offsets = [at, (at += 2 * data.length)]
    return [key, { dtype: "BF16", shape, data_offsets: offsets }] as const
  })
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)))
  const halves = Object.values(tensors).map(({ data }) => {
    const bits = new Uint16Array(data.buffer, data.byteOffset, 2 * data.length)
    return new Uint8Array(bits.filter((_, i) => i % 2 === 1).buffer)
  })
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true)
  writeFileSync(file, Buffer.concat([length, header, ...halves]))
}

const Report = Schema.fromJsonString(
  Schema.Struct({ growth: Schema.Number, float32: Schema.Number, error: Schema.String })
)

const reading = async (name: string) => {
  const program = fileURLToPath(new URL("readCheckpoint.ts", import.meta.url))
  const options = ["-C", "homodistil-source", "--no-warnings", program, join(folder, name), join(folder, "small")]
  const { stdout } = await promisify(execFile)(process.execPath, options)
  return Schema.decodeUnknownSync(Report)(stdout)
}

const ratio = async (name: string): Promise<number> => {
  const { growth, float32 } = await reading(name)
  const found = growth / float32
  console.info(
    `${name}: ${(growth / 1e6).toFixed(1)} MB for ${(float32 / 1e6).toFixed(1)} MB of float32, ${found.toFixed(3)}`
  )
  return found
}

describe("reading a checkpoint", () => {
  it("takes no more memory than 1.2 times its float32 size", async () => {
    await write("small", small)
    await write("float32", config)
    assert.isBelow(await ratio("float32"), 1.2)
    toBfloat16("float32")
    assert.isBelow(await ratio("float32"), 1.2)
  })
})

describe("reading a hostile file", () => {
  const size = 32_000_000
  /** A file of this size with this header. */
  const weights = (json: string): Uint8Array => {
    const [header, bytes] = [new TextEncoder().encode(json), new Uint8Array(size)]
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true)
    bytes.set(header, 8)
    return bytes
  }
  const entries = (count: number, of: (i: number) => string) =>
    `{${Array.from({ length: count }, (_, i) => of(i)).join(",")}}`
  const cases: ReadonlyArray<readonly [string, { readonly [file: string]: Uint8Array | string }]> = [
    [
      "tensors of a trillion numbers",
      {
        "model.safetensors": weights('{"a":{"dtype":"F32","shape":[1048576,1048576],"data_offsets":[0,4398046511104]}}')
      }
    ],
    ["a header of nothing but keys", { "model.safetensors": weights(entries(40_000, (i) => `"${i}":0`)) }],
    ["a header of nothing but brackets", { "model.safetensors": weights("[".repeat(2e5) + "]".repeat(2e5)) }],
    [
      "tensors of nothing",
      {
        "model.safetensors": weights(entries(8_000, (i) => `"t${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`))
      }
    ],
    [
      "an index of files that are not there",
      { "model.safetensors.index.json": `{"weight_map":${entries(15_000, (i) => `"${i}":"${i}.safetensors"`)}}` }
    ],
    ["a configuration of a list without end", { "config.json": `{"model_type":[${"0,".repeat(500_000)}0]}` }]
  ]
  it.each(cases)("takes no more than twice its size: %s", async (_, files) => {
    const hostile = mkdtempSync(join(folder, "hostile-"))
    await write("small", small)
    const config = readFileSync(join(folder, "small", "config.json"))
    const all = {
      "config.json": config,
      ...("config.json" in files ? { "model.safetensors": weights("{}") } : {}),
      ...files
    }
    for (const [name, bytes] of Object.entries(all)) writeFileSync(join(hostile, name), bytes)
    const { growth, error } = await reading(basename(hostile))
    assert.include(["CheckpointError", "ConfigError"], error)
    assert.isBelow(growth, 2 * size)
    rmSync(hostile, { recursive: true })
  })
})
