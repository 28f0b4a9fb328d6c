import * as Effect from "effect/Effect"
import type { EncodedTask, TextMetric } from "../data/index.ts"
import { Seed, Spec } from "../spec/index.ts"
import type { Column, Measure, Sized } from "./Measure.ts"
import * as TextFineTune from "./TextFineTune.ts"

const names: { readonly [metric in TextMetric]: string } = {
  accuracy: "accuracy",
  f1: "F1",
  matthews: "Matthews",
  pearson: "Pearson",
  spearman: "Spearman"
}

const idOf = ({ task }: EncodedTask, split: string, metric: TextMetric): string => `${task.name}.${split}.${metric}`

/** A column for each metric of each split, in hundredths, as GLUE's tables have it. */
const columnsOf = (encoded: EncodedTask): ReadonlyArray<Column> =>
  encoded.dev.flatMap(({ name: split }) =>
    encoded.task.metrics.map((metric) => ({
      id: idOf(encoded, split, metric),
      name: [encoded.task.title, split.replace(/^dev_?/, ""), names[metric]].filter((word) => word !== "").join(" "),
      unit: "%",
      better: "higher",
      digits: 1
    }))
  )

/** The options of a smoke test: every part runs, the numbers mean little. */
const small: Partial<TextFineTune.TextFineTuneOptions> = { examples: 64, judged: 64, epochs: 1 }

/**
 * How well the model does on a task of labelled text after fine-tuning all its weights, `TextFineTune.run`: the task's metrics at the best
 * evaluation on each split it is judged on. The run's seed decides the head's start, the order of the texts and dropout.
 *
 * Throws `ConfigError` with every illegal option at once.
 *
 * @example
 * ```ts
 * import { encodeTask, glueSplit, taskOf, tokenizerOfVocabulary } from "homodistil/data"
 * import { TextMeasure } from "homodistil/evaluate"
 * import * as Result from "effect/Result"
 * const text = "sentence\tlabel\na b\t1\nb a\t0\n"
 * const split = (name: string) => Result.getOrThrow(glueSplit("sst2", name, { file: `${name}.tsv`, text, digest: name }))
 * const labels = { kind: "classes", classes: ["negative", "positive"] } as const
 * const [train, dev] = [split("train"), split("dev")]
 * const task = taskOf({ name: "sst2", title: "SST-2", pair: false, labels, metrics: ["accuracy"], train, dev: [dev] })
 * const toy = tokenizerOfVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"], () => [5, 6])
 * const measure = TextMeasure.of(encodeTask(task, toy, 64))
 * assert.deepEqual(measure.columns.map(({ id, name }) => [id, name]), [["sst2.dev.accuracy", "SST-2 accuracy"]])
 * ```
 */
export const of = (encoded: EncodedTask, options: Sized<TextFineTune.TextFineTuneOptions> = {}): Measure => {
  const whole = TextFineTune.make(encoded, options.full)
  const part = TextFineTune.make(encoded, { ...options.full, ...small, ...options.small })
  const tuningOf = (isSmall?: boolean) => (isSmall === true ? part : whole)
  return {
    spec: Spec.make("textFineTune", {
      options: { full: whole.spec.options, small: part.spec.options },
      parts: whole.spec.parts ?? []
    }),
    columns: columnsOf(encoded),
    run: (context) =>
      Effect.map(
        TextFineTune.run(
          tuningOf(context.small),
          context.model,
          Seed.child(context.seed, `fine-tune ${encoded.task.name}`)
        ),
        ({ best }) =>
          Object.fromEntries(
            best.splits.flatMap(({ split, metrics }) =>
              encoded.task.metrics.map((metric) => [
                idOf(encoded, split, metric),
                100 * (metrics[metric] ?? Number.NaN)
              ])
            )
          )
      ),
    flops: (size) => TextFineTune.flops(tuningOf(size.small), size.config)
  }
}
