import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { OnnxBackend } from "homodistil/backend"
import { heldOutBatches, loadDataset, loadTokenizer, tokenizerDirectory } from "homodistil/data"
import { HeldOut, Similarity } from "homodistil/evaluate"
import { Head } from "homodistil/model"
import { Digest, Spec } from "homodistil/spec"
import * as Yardstick from "../../src/cli/Yardstick.ts"
import { tinyConfig, tinyModel } from "./tinyTeacher.ts"

const student = tinyModel({ ...tinyConfig, ffn: [4] })

const materials = Effect.gen(function* () {
  const dataset = yield* loadDataset({ tokenizer: yield* loadTokenizer(yield* tokenizerDirectory) })
  return { teacher: tinyModel(), teacherDigest: Digest.of("tiny"), dataset, backend: Spec.make("onnx") }
})

const layers = Layer.mergeAll(OnnxBackend.layer({ threads: 1 }), NodeServices.layer)

describe("Yardstick", () => {
  it.live("measures predictions: on validation rows on the way, on test rows in the end", () =>
    Effect.gen(function* () {
      const given = yield* materials
      const { distance, discrepancy, measure } = yield* Yardstick.predictions(given)
      const on = (split: "validation" | "test", count: number, rows: number) =>
        Effect.flatMap(
          HeldOut.reference(given.teacher, heldOutBatches(given.dataset, { split, count, rows }).batches),
          (reference) => HeldOut.measure(student, reference)
        )
      assert.strictEqual(distance, "discrepancy")
      assert.strictEqual(yield* discrepancy(student), (yield* on("validation", 64, 64)).discrepancy)
      assert.deepEqual(yield* measure(student), yield* on("test", 1024, 128))
    }).pipe(Effect.scoped, Effect.provide(layers))
  )

  it.live("measures states of whole text, of models without a head", () =>
    Effect.gen(function* () {
      const given = yield* materials
      const [teacher, bare] = [Head.remove(given.teacher), Head.remove(student)]
      const { discrepancy, measure } = yield* Yardstick.states({ ...given, teacher })
      const on = (split: "validation" | "test", count: number, rows: number) =>
        Effect.flatMap(
          Similarity.reference(teacher, heldOutBatches(given.dataset, { split, count, rows, maskRate: 0 }).batches),
          (reference) => Similarity.measure(bare, reference)
        )
      assert.strictEqual(yield* discrepancy(bare), 1 - (yield* on("validation", 64, 64)).states)
      assert.deepEqual(yield* measure(bare), yield* on("test", 1024, 128))
      const own = yield* discrepancy(teacher)
      assert.isTrue(own >= 0 && own < 1e-5)
    }).pipe(Effect.scoped, Effect.provide(layers))
  )
})
