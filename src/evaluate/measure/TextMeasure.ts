import * as Effect from "effect/Effect"
import type { EncodedTask, TextMetric } from "../../data/index.ts"
import { Seed, Spec } from "../../spec/index.ts"
import * as TextFineTune from "../TextFineTune.ts"
import { all, type Column, type Measure, type Sized } from "./Measure.ts"

const names: { readonly [metric in TextMetric]: string } = {
  accuracy: "accuracy",
  f1: "F1",
  matthews: "Matthews",
  pearson: "Pearson",
  spearman: "Spearman"
}

const idOf = ({ task }: EncodedTask, split: string, metric: TextMetric): string => `${task.name}.${split}.${metric}`

/** A column for each metric of each split, in hundredths, as GLUE's tables have it. */
const columnsOf = (encoded: EncodedTask, note: string): ReadonlyArray<Column> =>
  encoded.dev.flatMap(({ name: split }) =>
    encoded.task.metrics.map((metric) => ({
      id: idOf(encoded, split, metric),
      name: [encoded.task.title, split.replace(/^dev_?/, ""), names[metric]].filter((word) => word !== "").join(" "),
      unit: "%",
      better: "higher",
      digits: 1,
      note
    }))
  )

/** What the reader should know of the numbers on a task. */
const noteOf = ({ encoded, options }: TextFineTune.TextFineTune): string => {
  const { train, dev, task, longest } = encoded
  const { epochs, evaluations, examples = train.count, judged = Infinity } = options
  const times = epochs * evaluations
  const on = dev.map(({ count }) => Math.min(count, judged)).join(" + ")
  const passes = epochs === 1 ? "one pass" : `${epochs} passes`
  const best = times > 1 ? `, the best of ${times} evaluations` : ""
  return `${task.title}: ${passes} over ${Math.min(examples, train.count)} of ${train.count} texts of at most ${longest} pieces, judged on ${on} of its development set${best}.`
}

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
    columns: columnsOf(encoded, noteOf(whole)),
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

/**
 * Several tasks as one measure, each fine-tuned alike: with the options given, and otherwise at BERT's rate for small models (1e-4), the head
 * on the mean of the hidden states.
 *
 * Throws `ConfigError` with every illegal option at once.
 */
export const several = (
  tasks: ReadonlyArray<EncodedTask>,
  { full, small: part }: Sized<TextFineTune.TextFineTuneOptions> = {}
): Measure =>
  all(
    "texts",
    tasks.map((task) =>
      of(task, {
        full: { learningRate: 1e-4, pooling: "mean", ...full },
        ...(part === undefined ? {} : { small: part })
      })
    )
  )
