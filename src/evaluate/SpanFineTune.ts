import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Backend, type CompileError, type ExecutionError, transfer } from "../backend/index.ts"
import { type Dataset, type SpanExamples, type SpanTask, spanText, type TaskData } from "../data/index.ts"
import type { BertConfig, Model } from "../model/index.ts"
import { type ConfigError, Options, type Seed, Spec } from "../spec/index.ts"
import * as CutModel from "./CutModel.ts"
import type { NotFinite } from "./NotFinite.ts"
import * as SpanBatch from "./SpanBatch.ts"
import * as SpanMetric from "./SpanMetric.ts"
import * as TaskExamples from "./TaskExamples.ts"
import * as TunedModel from "./TunedModel.ts"
import * as Tuning from "./Tuning.ts"

const Fields = Schema.Struct({
  train: Options.Count,
  test: Options.Count,
  length: Options.Count,
  longest: Options.Count,
  steps: Options.Count,
  rows: Options.Count,
  learningRate: Options.Positive,
  warmup: Options.Fraction,
  weightDecay: Options.Weight,
  hiddenDropout: Options.Decay,
  attentionDropout: Options.Decay,
  seed: Schema.Int
})

/**
 * How a model is fine-tuned on a span task: questions to learn from and to be judged on, in rows of `length`, chosen by `seed`;
 * answers of at most `longest` pieces are predicted; `steps` of `rows` rows; AdamW with the highest `learningRate` after the share
 * `warmup` of the steps, then a linear fall to 0; dropout.
 */
export type SpanFineTuneOptions = typeof Fields.Type

/** The fine-tuning of a span task, with every option decided. */
export interface SpanFineTune {
  readonly spec: Spec.Spec
  readonly task: SpanTask
  readonly options: SpanFineTuneOptions
}

/** What fine-tuning reached, shares in [0, 1]. */
export interface SpanFineTuneResult extends SpanMetric.SpanScore {
  /** What `position` gets without looking. */
  readonly chance: SpanMetric.SpanScore
  /** The loss of the last step, nats. */
  readonly loss: number
}

/**
 * The options of the micro scale: those at which the micro teacher does well, and alike over seeds, in seconds (in so few steps
 * dropout costs it two points of exact match and a rate of 10⁻³ their steadiness).
 */
export const defaults: SpanFineTuneOptions = {
  train: 1600,
  test: 1000,
  length: 32,
  longest: 16,
  steps: 100,
  rows: 16,
  learningRate: 5e-4,
  warmup: 0.1,
  weightDecay: 0.01,
  hiddenDropout: 0,
  attentionDropout: 0,
  seed: 0
}

/** The options of a smoke test: every part runs, the number means little. */
export const small: SpanFineTuneOptions = { ...defaults, train: 64, test: 32, steps: 4 }

/**
 * The fine-tuning of a span task; the options of the micro scale unless given.
 *
 * Throws `ConfigError` with every illegal option at once.
 *
 * @example
 * ```ts
 * import { spanPhrase } from "homodistil/data"
 * import { SpanFineTune } from "homodistil/evaluate"
 * assert.equal(SpanFineTune.make(spanPhrase(), { steps: 10 }).options.steps, 10)
 * assert.throws(() => SpanFineTune.make(spanPhrase(), { longest: 0 }), /spanFineTune\.longest = 0/)
 * ```
 */
export const make = (task: SpanTask, options: Partial<SpanFineTuneOptions> = {}): SpanFineTune => {
  const decoded = Options.decode("spanFineTune", Fields, { ...defaults, ...options })
  return { task, options: decoded, spec: Spec.make("spanFineTune", { options: decoded, parts: [task.spec] }) }
}

/** The scores of one text for each question. */
const judge = (examples: SpanExamples, predictions: ReadonlyArray<string>): SpanMetric.SpanScore =>
  SpanMetric.mean(predictions, examples.answers)

/**
 * What a guess gets that looks at no word: the answer's most frequent place (first and last piece) among the training rows, cut
 * where a row is shorter; of several rows of a question the first, and of none nothing.
 */
export const position = ({ train, test }: TaskData<SpanExamples>): SpanMetric.SpanScore => {
  const counts = new Map<number, number>()
  train.starts.forEach((start, row) => {
    const place = start * train.length + (train.ends[row] ?? 0)
    counts.set(place, (counts.get(place) ?? 0) + 1)
  })
  const [place] = [...counts].reduce((most, each) => (each[1] > most[1] ? each : most), [0, 0])
  const [start, end] = [Math.floor(place / train.length), place % train.length]
  const texts: Array<string | undefined> = test.answers.map(() => undefined)
  test.questions.forEach((question, row) => {
    const last = test.allowed.lastIndexOf(1, (row + 1) * test.length - 1) - row * test.length
    texts[question] ??=
      start === 0 ? "" : spanText(test, row, { start: Math.min(start, last), end: Math.min(end, last) })
  })
  return judge(
    test,
    texts.map((text) => text ?? "")
  )
}

/** The texts of a model's answers, one for each question: the best span over its rows, or none where that scores higher. */
const answersOf = (
  { task, options }: SpanFineTune,
  config: BertConfig.BertConfig,
  tuned: TunedModel.TunedParameters,
  examples: SpanExamples
): Effect.Effect<ReadonlyArray<string>, CompileError | ExecutionError, Backend> =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const { rows, longest } = options
      const { length } = examples
      const first = SpanBatch.of(examples, [0], rows)
      const compiled = yield* backend.compile(
        "answers",
        { params: TunedModel.signature(tuned), batch: SpanBatch.signature(first) },
        ({ params, batch }) => ({ logits: SpanBatch.logits(config, first.tokens, params, batch) })
      )
      const params = yield* transfer.upload(backend, tuned)
      yield* Effect.addFinalizer(() => transfer.release(backend, params))
      const found = examples.answers.map(() => ({ text: "", score: -Infinity, none: Infinity }))
      for (let from = 0; from < examples.count; from += rows) {
        const count = Math.min(rows, examples.count - from)
        const chosen = Array.from({ length: count }, (_, i) => from + i)
        const live = yield* transfer.upload(backend, SpanBatch.inputs(SpanBatch.of(examples, chosen, rows)))
        const out = yield* compiled.run({ params, batch: live })
        const { data } = (yield* transfer.download(backend, out)).logits
        yield* transfer.release(backend, [live, out])
        chosen.forEach((row, i) => {
          const question = found[examples.questions[row] ?? 0]
          if (question === undefined) return
          const starts = data.subarray(i * length, (i + 1) * length)
          const ends = data.subarray((rows + i) * length, (rows + i + 1) * length)
          const allowed = examples.allowed.subarray(row * length, (row + 1) * length)
          question.none = Math.min(question.none, (starts[0] ?? 0) + (ends[0] ?? 0))
          const span = SpanBatch.best({ starts, ends, allowed }, longest)
          if (span === undefined || span.score <= question.score) return
          question.score = span.score
          question.text = spanText(examples, row, span)
        })
      }
      return found.map(({ text, score, none }) => (task.unanswerable && none >= score ? "" : text))
    })
  )

/**
 * Fine-tunes a copy of a model to find answers and says how well it then does, as BERT on SQuAD (Devlin et al. 2019, §4.2-4.3).
 *
 * All weights of the encoder and a head for the answer's start and end move, by AdamW; the seed decides the head's start, the
 * order of the rows and dropout, and the same seed gives the same number. Of a question's rows the span with the highest sum of
 * start and end logits is predicted; no answer where the task knows of it and [CLS] scores at least as high in some row. A masked
 * model is cut first. Fails with `NotFinite` when the loss does.
 */
export const onExamples = (
  tuning: SpanFineTune,
  given: Model.Model,
  data: TaskData<SpanExamples>,
  seed: Seed.Seed
): Effect.Effect<SpanFineTuneResult, CompileError | ExecutionError | NotFinite, Backend> =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const { task, options } = tuning
      const { train, test } = data
      const model = CutModel.of(given)
      const { config } = model
      const dropout = Tuning.dropout(model, options, train.length, seed)
      const order = Tuning.exampleOrder(train.count, options.rows, seed)
      const batchAt = (step: number) => SpanBatch.of(train, order(step), options.rows)
      const first = batchAt(0)
      const { params, loss } = yield* Tuning.train({
        name: `fine-tuning on ${task.spec.name}`,
        model,
        outputs: 2,
        seed,
        options,
        inputs: { batch: SpanBatch.signature(first), draws: dropout.signature },
        loss: (seen, { batch, draws }) =>
          SpanBatch.loss(SpanBatch.logits(config, first.tokens, seen, batch, { rates: dropout.rates, draws }), batch),
        inputsAt: (t) =>
          transfer.upload(backend, {
            batch: SpanBatch.inputs(t === 0 ? first : batchAt(t)),
            draws: dropout.at(t)
          })
      })
      const predictions = yield* answersOf(tuning, config, params, test)
      return { ...judge(test, predictions), chance: position(data), loss }
    })
  )

/** As `onExamples`, on the questions its options name; fails with `ConfigError` when the dataset has fewer. */
export const run = (
  tuning: SpanFineTune,
  model: Model.Model,
  dataset: Dataset,
  seed: Seed.Seed
): Effect.Effect<SpanFineTuneResult, CompileError | ExecutionError | NotFinite | ConfigError, Backend> =>
  Effect.flatMap(TaskExamples.take(tuning.task, dataset, tuning.options), (data) =>
    onExamples(tuning, model, data, seed)
  )
