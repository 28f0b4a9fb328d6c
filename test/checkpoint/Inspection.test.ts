import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Tensor } from "homodistil/backend"
import { HuggingFace, Inspection, Safetensors } from "homodistil/checkpoint"
import { Pooler } from "homodistil/model"
import { bitsOf, inFolder, poolerOf, small, uneven, weights } from "./samples.ts"

describe("Inspection", () => {
  it("tells of a checkpoint what reading it tells, and how much of it is stored", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const bare = { ...small, head: "none" as const }
        for (const [config, pooler] of [
          [small, false],
          [uneven, false],
          [bare, false],
          [bare, true],
          [small, true]
        ] as const) {
          const out = `${folder}/out`
          const more = pooler ? { pooler: poolerOf(config) } : {}
          yield* HuggingFace.write(out, { config, parameters: weights(config), ...more, provenance: { seed: 1 } })
          const seen = yield* Inspection.read(out)
          const read = yield* HuggingFace.read(out)
          assert.deepStrictEqual(seen.config, read.config)
          assert.deepStrictEqual(seen.provenance, read.provenance)
          assert.deepStrictEqual([...seen.ignored], [...read.ignored])
          assert.deepStrictEqual([seen.pooler, read.pooler !== undefined], [pooler, pooler])
          assert.deepStrictEqual([...seen.architectures], ["head" in config ? "BertModel" : "BertForMaskedLM"])
          const tensors = Object.values({ ...read.parameters, ...Pooler.parameters(read.pooler) })
          const numbers = tensors.reduce((sum, { data }) => sum + data.length, 0)
          assert.deepStrictEqual(seen.stored, { F32: numbers })
          const { size } = yield* fs.stat(`${out}/model.safetensors`)
          assert.deepStrictEqual([...seen.files], [{ name: "model.safetensors", bytes: Number(size) }])
        }
      })
    ))

  it("reads no weight: a checkpoint whose numbers are all NaN is inspected, but not read", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const parameters = Object.fromEntries(
          Object.entries(weights(small)).map(([name, { shape, data }]) => [
            name,
            Tensor.host(
              data.map(() => Number.NaN),
              shape
            )
          ])
        )
        assert.isTrue(bitsOf(parameters).length > 0)
        yield* HuggingFace.write(folder, { config: small, parameters: weights(small) })
        yield* fs.writeFile(`${folder}/model.safetensors`, Safetensors.encode(parameters))
        assert.deepStrictEqual((yield* Inspection.read(folder)).config, small)
        assert.match((yield* Effect.flip(HuggingFace.read(folder))).message, /holds NaN/)
      })
    ))

  it("names what has no use here, and what is wrong", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const { "bert.embeddings.LayerNorm.bias": bias, ...others } = weights(small)
        assert.isDefined(bias)
        yield* HuggingFace.write(folder, { config: small, parameters: weights(small) })
        const store = (parameters: Parameters<typeof Safetensors.encode>[0]) =>
          fs.writeFile(`${folder}/model.safetensors`, Safetensors.encode(parameters))
        yield* store({ ...weights(small), "classifier.bias": Tensor.host([1, 2, 3, 4]) })
        assert.deepStrictEqual([...(yield* Inspection.read(folder)).ignored], ["classifier.bias"])
        yield* store({ ...weights(small), "bert.pooler.dense.bias": Tensor.host([1, 2, 3, 4]) })
        const half = yield* Effect.flip(Inspection.read(folder))
        assert.match(half.message, /pooler\.dense\.weight is missing, but bert\.pooler\.dense\.bias is there/)
        yield* store(others)
        assert.match((yield* Effect.flip(Inspection.read(folder))).message, /LayerNorm\.bias is missing/)
        const nowhere = yield* Effect.flip(Inspection.read(`${folder}/nowhere`, "DIR"))
        assert.match(nowhere.message, /^DIR = .*nowhere: must be a folder with config\.json/)
      })
    ))
})
