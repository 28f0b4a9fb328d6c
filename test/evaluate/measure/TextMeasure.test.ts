import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { datasetOf } from "../../../src/data/index.ts"
import { HeldOut, type Measure, TextFineTune, TextMeasure } from "../../../src/evaluate/index.ts"
import { BertConfig } from "../../../src/model/index.ts"
import { Seed } from "../../../src/spec/index.ts"
import { config, model, run } from "../tiny.ts"
import { encodedToy, tinyTokenizer } from "../texts.ts"

const context = (small: boolean): Measure.MeasureContext => ({
  model: model(0),
  dataset: datasetOf([], { corpus: "none", tokenizer: tinyTokenizer }),
  heldOut: HeldOut.withoutTeacher([]),
  curve: [],
  seed: Seed.make(7),
  small
})
const options = { full: { rows: 8, bucket: 2, epochs: 2, judged: 10 }, small: { judged: 6 } }

describe("TextMeasure", () => {
  it("has a column for each metric of each split", () => {
    const encoded = encodedToy({ metrics: ["f1", "accuracy"], dev: [8, 8] })
    assert.deepStrictEqual(
      TextMeasure.of(encoded).columns.map(({ id, name }) => `${id}: ${name}`),
      [
        "toy.dev_0.f1: Toy 0 F1",
        "toy.dev_0.accuracy: Toy 0 accuracy",
        "toy.dev_1.f1: Toy 1 F1",
        "toy.dev_1.accuracy: Toy 1 accuracy"
      ]
    )
    assert.strictEqual(TextMeasure.of(encodedToy()).columns[0]?.name, "Toy accuracy")
  })

  it("is what fine-tuning gives by itself, in hundredths, and in a small context with the small options", () =>
    run(
      Effect.gen(function* () {
        const encoded = encodedToy({ metrics: ["f1", "accuracy"] })
        for (const small of [false, true]) {
          const given = { ...options.full, ...(small ? { epochs: 1, examples: 64, judged: 6 } : {}) }
          const { best } = yield* TextFineTune.run(
            TextFineTune.make(encoded, given),
            model(0),
            Seed.child(Seed.make(7), "fine-tune toy")
          )
          const { f1 = Number.NaN, accuracy = Number.NaN } = best.splits[0]?.metrics ?? {}
          assert.deepStrictEqual(yield* TextMeasure.of(encoded, options).run(context(small)), {
            "toy.dev.f1": 100 * f1,
            "toy.dev.accuracy": 100 * accuracy
          })
        }
      })
    ))

  it("is named by the task and all its options", () => {
    const spec = (given: Parameters<typeof TextMeasure.of>[1], seed = 0) =>
      JSON.stringify(TextMeasure.of(encodedToy({ seed }), given).spec)
    assert.strictEqual(spec(options), spec(options))
    assert.notStrictEqual(spec(options), spec(options, 1))
    assert.notStrictEqual(spec(options), spec({ ...options, small: {} }))
    assert.notStrictEqual(spec(options), spec({ ...options, full: {} }))
  })

  it("counts its operations: of each pass as many, of long rows more, of a share of the texts a share", () => {
    const encoded = encodedToy({ train: 64, dev: [16] })
    const of = (given: Partial<TextFineTune.TextFineTuneOptions>, by = config) =>
      TextFineTune.flops(TextFineTune.make(encoded, { rows: 8, bucket: 2, epochs: 1, ...given }), by)
    assert.closeTo(of({ epochs: 3 }), 3 * of({}), 1e-6 * of({}))
    assert.isAbove(of({ bucket: 6 }), of({}))
    const judging = of({ evaluations: 2 }) - of({})
    assert.closeTo(of({ examples: 32 }) - judging, (of({}) - judging) / 2, 1)
    assert.isAbove(of({}, BertConfig.micro), of({}))
    const size = { config, heldOut: { rows: 1, length: 6, masked: 1 } }
    const measure = TextMeasure.of(encoded, options)
    assert.isBelow(measure.flops?.({ ...size, small: true }) ?? 0, measure.flops?.(size) ?? 0)
  })
})
