import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import {
  Backend,
  type CompileError,
  type ExecutionError,
  ops,
  type TensorSpec,
  tf,
  transfer
} from "../backend/index.ts"
import type { EncodedTask, EncodedTexts } from "../data/index.ts"
import { type BertConfig, type Dropout, Flops, type Model } from "../model/index.ts"
import { adamW, Gradients, TrainStep } from "../optimizer/index.ts"
import { ConfigError, type ConfigProblem, Options, Seed, Spec } from "../spec/index.ts"
import * as CutModel from "./CutModel.ts"
import * as LengthBuckets from "./LengthBuckets.ts"
import type { NotFinite } from "./NotFinite.ts"
import type * as TaskBatch from "./TaskBatch.ts"
import * as TextBatch from "./TextBatch.ts"
import * as TextScores from "./TextScores.ts"
import * as TunedModel from "./TunedModel.ts"
import * as Tuning from "./Tuning.ts"

const Fields = Schema.Struct({
  epochs: Options.Positive,
  rows: Options.Count,
  learningRate: Options.Positive,
  warmup: Options.Fraction,
  weightDecay: Options.Weight,
  hiddenDropout: Options.Decay,
  attentionDropout: Options.Decay,
  pooling: Schema.Literals(["mean", "cls", "pooler"]),
  bucket: Options.Count,
  evaluations: Options.Count,
  patience: Schema.optionalKey(Options.Count),
  examples: Schema.optionalKey(Options.Count),
  judged: Schema.optionalKey(Options.Count)
})

/**
 * How a model is fine-tuned on labelled text: `epochs` passes, in batches of `rows` texts of alike length (multiples of `bucket` pieces);
 * AdamW with the highest `learningRate` after the share `warmup` of the steps, then a linear fall to 0; dropout; what the head reads
 * (`pooling`); `evaluations` a pass, and an end after `patience` of them without a better one (never unless given). `examples` are the
 * training texts to learn from, chosen by the seed, and `judged` the first texts of each split to judge on: all unless given.
 */
export type TextFineTuneOptions = typeof Fields.Type

/** The fine-tuning of a task, with every option decided. */
export interface TextFineTune {
  readonly spec: Spec.Spec
  readonly encoded: EncodedTask
  readonly options: TextFineTuneOptions
}

/** An evaluation on all splits the task is judged on. */
export interface TextEvaluation {
  /** Steps taken before it. */
  readonly step: number
  /** The mean of the task's metrics and splits. */
  readonly score: number
  readonly splits: ReadonlyArray<TextScores.SplitScores>
}

/** What happens in a fine-tuning, in order. */
export type TextFineTuneEvent =
  | { readonly _tag: "Started"; readonly steps: number; readonly stepsPerEpoch: number; readonly parameters: number }
  | { readonly _tag: "Stepped"; readonly step: number; readonly loss: number; readonly learningRate: number }
  | { readonly _tag: "Evaluated"; readonly evaluation: TextEvaluation; readonly best: boolean }
  | { readonly _tag: "Ended"; readonly step: number; readonly early: boolean }

/** What fine-tuning reached: its best evaluation, and the parameters at that moment. */
export interface TextFineTuneResult {
  readonly best: TextEvaluation
  readonly evaluations: ReadonlyArray<TextEvaluation>
  /** The encoder's and the head's, by Hugging Face's names. */
  readonly parameters: TunedModel.TunedParameters
  readonly steps: number
  /** Whether patience ended it. */
  readonly early: boolean
}

/** BERT's own setting (Devlin et al. 2019, appendix A.3), without dropout of attention. */
export const defaults: TextFineTuneOptions = {
  epochs: 3,
  rows: 32,
  learningRate: 5e-5,
  warmup: 0.1,
  weightDecay: 0.01,
  hiddenDropout: 0.1,
  attentionDropout: 0,
  pooling: "cls",
  bucket: 16,
  evaluations: 1
}

/**
 * The fine-tuning of a task; BERT's options unless given.
 *
 * Throws `ConfigError` with every illegal option at once.
 */
export const make = (encoded: EncodedTask, options: Partial<TextFineTuneOptions> = {}): TextFineTune => {
  const decoded = Options.decode("textFineTune", Fields, { ...defaults, ...options })
  return { encoded, options: decoded, spec: Spec.make("textFineTune", { options: decoded, parts: [encoded.spec] }) }
}

/** What keeps a model from a task, all of it. */
export const misfits = ({ encoded }: TextFineTune, { config }: Model.Model): ReadonlyArray<ConfigProblem> => {
  const { task, longest, vocabulary } = encoded
  const problem = (holds: boolean, key: string, value: number, bound: string, remedy: string) =>
    holds ? [] : [{ key, value: String(value), bound, remedy }]
  return [
    ...problem(
      longest <= config.positions,
      "longest",
      longest,
      `at most ${config.positions}, the positions of the model`,
      "encode the task in shorter rows"
    ),
    ...problem(
      vocabulary === config.vocabSize,
      "vocabulary",
      vocabulary,
      `the ${config.vocabSize} pieces of the model`,
      "encode the task with the model's tokenizer"
    ),
    ...problem(
      !task.pair || config.types >= 2,
      "segment types",
      config.types,
      "at least 2 for pairs of texts",
      "take a model that knows pairs, or one text"
    )
  ]
}

/** Scores are learned less their mean, over their deviation; classes as they are. */
const standardOf = ({ task, train }: EncodedTask, texts: ReadonlyArray<number>) => {
  if (task.labels.kind === "classes") return undefined
  const labels = texts.map((n) => train.labels[n] ?? 0)
  const centre = labels.reduce((sum, label) => sum + label, 0) / labels.length
  const variance = labels.reduce((sum, label) => sum + (label - centre) ** 2, 0) / labels.length
  return { centre, spread: variance > 0 ? Math.sqrt(variance) : 1 }
}

/** The training texts, all or some. */
const textsOf = ({ encoded, options }: TextFineTune, seed: Seed.Seed): ReadonlyArray<number> => {
  const { count } = encoded.train
  const order = Seed.permutation(Seed.child(seed, "examples"), count)
  return options.examples === undefined || options.examples >= count
    ? Array.from({ length: count }, (_, n) => n)
    : [...order.subarray(0, options.examples)]
}

/** What the model is judged on. */
const judgedOf = ({ encoded, options }: Pick<TextFineTune, "encoded" | "options">): ReadonlyArray<EncodedTexts> =>
  encoded.dev.map((texts) => ({ ...texts, count: Math.min(texts.count, options.judged ?? texts.count) }))

/** The batch of each step. */
const batchOrder = ({ encoded, options }: TextFineTune, texts: ReadonlyArray<number>, seed: Seed.Seed) => {
  const all = TextBatch.lengths(encoded.train)
  const lengths = texts.map((n) => all[n] ?? 0)
  const buckets = { rows: options.rows, step: options.bucket, longest: encoded.longest }
  const perEpoch = Math.ceil(texts.length / options.rows)
  let pass: { readonly epoch: number; readonly batches: ReadonlyArray<LengthBuckets.LengthBatch> } | undefined
  const at = (step: number): LengthBuckets.LengthBatch => {
    const epoch = Math.floor(step / perEpoch)
    if (pass?.epoch !== epoch)
      pass = { epoch, batches: LengthBuckets.pass(lengths, buckets, Seed.child(seed, "order", epoch)) }
    const { length, chosen } = pass.batches[step % perEpoch] ?? { length: encoded.longest, chosen: [] }
    return { length, chosen: chosen.map((n) => texts[n] ?? 0) }
  }
  return { perEpoch, at }
}

type StepInputs = {
  readonly batch: TaskBatch.TaskBatchTree<TensorSpec>
  readonly draws: Dropout.Draws<TensorSpec>
}

/**
 * Fine-tunes a copy of a model on a task's training texts, and judges it as it goes (Devlin et al. 2019, §4).
 *
 * All weights of the encoder and a linear head move, with `pooling` `pooler` the pooler's, too, which starts as the model's own where it
 * has one; the parameters of the best evaluation are kept. The seed decides what else of the head there is to start from, which texts
 * meet, their order and dropout: the same seed gives the same numbers. A masked model is cut first, and the zeros of a sparse one stay. Fails with `NotFinite` when the loss does, and with `ConfigError` where the model cannot read the task.
 */
export const run = (
  tuning: TextFineTune,
  given: Model.Model,
  seed: Seed.Seed,
  emit: (event: TextFineTuneEvent) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<TextFineTuneResult, CompileError | ExecutionError | NotFinite | ConfigError, Backend> =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const { encoded, options } = tuning
      const { task, train } = encoded
      const { rows, pooling } = options
      const problems = misfits(tuning, given)
      if (problems.length > 0) return yield* new ConfigError({ problems })
      const model = CutModel.of(given)
      const { config } = model
      const texts = textsOf(tuning, seed)
      const order = batchOrder(tuning, texts, seed)
      const steps = Math.max(1, Math.round(options.epochs * order.perEpoch))
      const every = Math.max(1, Math.round(order.perEpoch / options.evaluations))
      const standard = standardOf(encoded, texts)
      const count = task.labels.kind === "classes" ? task.labels.classes.length : 1
      const params = (pooling === "pooler" ? TunedModel.startPooled : TunedModel.start)(model, count, seed)
      const kept = TunedModel.kept(model)
      const view = TunedModel.view(kept)
      const optimizer = adamW({ beta2: 0.999, weightDecay: options.weightDecay })
      // steps of all lengths write their gradients to one place
      const gradients = yield* Gradients.make({ params: TunedModel.signature(params), optimizer })
      const predict = yield* TextScores.predictor({
        encoded,
        config,
        reading: options,
        params: TunedModel.signature(params),
        view
      })
      const stepOf = TextScores.byLength((length) => {
        const dropout = Tuning.dropout(model, options, length, seed)
        const inputs: StepInputs = { batch: TextBatch.signature(task, { rows, length }), draws: dropout.signature }
        return TrainStep.compile({
          name: `fine-tuning on ${task.name}`,
          params: TunedModel.signature(params),
          inputs,
          optimizer,
          gradients,
          view,
          loss: (seen, { batch, draws }) => {
            const drops = { rates: dropout.rates, draws }
            const out = TextScores.outputs({ config, pooling }, { rows, length }, seen, batch, drops)
            const losses =
              standard === undefined
                ? ops.crossEntropy(out, batch.labels)
                : tf.square(tf.sub(tf.reshape(out, [rows]), batch.labels))
            return { total: tf.div(tf.sum(tf.mul(losses, batch.weights)), tf.sum(batch.weights)), terms: {} }
          }
        })
      })
      const judged = judgedOf(tuning)
      const evaluations: Array<TextEvaluation> = []
      let best: { readonly evaluation: TextEvaluation; readonly parameters: TunedModel.TunedParameters } | undefined
      let early = false
      const evaluate = ({ steps: step, state, step: text }: Tuning.Taken<StepInputs>) =>
        Effect.gen(function* () {
          const splits = yield* Effect.forEach(judged, (split) =>
            Effect.map(predict(state.params, split), (predicted) => TextScores.scoresOf(encoded, split, predicted))
          )
          const evaluation = { step, score: TextScores.mean(splits), splits }
          evaluations.push(evaluation)
          const better = best === undefined || evaluation.score > best.evaluation.score
          if (better) best = { evaluation, parameters: TunedModel.restored((yield* text.leave(state)).params, kept) }
          yield* emit({ _tag: "Evaluated", evaluation, best: better })
          const since = evaluations.length - 1 - evaluations.findIndex(({ step: at }) => at === best?.evaluation.step)
          early = step < steps && options.patience !== undefined && since >= options.patience
        })
      const parameters = Object.values(params).reduce((sum, { data }) => sum + data.length, 0)
      yield* emit({ _tag: "Started", steps, stepsPerEpoch: order.perEpoch, parameters })
      yield* Tuning.run<StepInputs, CompileError | ExecutionError>((t) => stepOf(order.at(t).length), {
        ...options,
        name: `fine-tuning on ${task.name}`,
        steps,
        params,
        kept,
        optimizer,
        inputsAt: (t) => {
          const batch = order.at(t)
          const { at } = Tuning.dropout(model, options, batch.length, seed)
          const host = TextBatch.of(encoded, train, batch, { rows, pooling: TextScores.reads(pooling) })
          return transfer.upload(backend, { batch: TextBatch.inputs(host, standard), draws: at(t) })
        },
        goOn: (taken) =>
          Effect.gen(function* () {
            const { steps: step, loss, learningRate } = taken
            yield* emit({ _tag: "Stepped", step, loss, learningRate })
            if (step === steps || step % every === 0) yield* evaluate(taken)
            return !early
          })
      })
      const end = evaluations.at(-1)
      if (best === undefined || end === undefined) return yield* Effect.die(new RangeError("nothing was evaluated"))
      yield* emit({ _tag: "Ended", step: end.step, early })
      const { evaluation, parameters: found } = best
      return {
        best: evaluation,
        evaluations,
        parameters: standard === undefined ? found : TunedModel.scaledHead(found, standard),
        steps: end.step,
        early
      }
    })
  )

/** Floating-point operations of the matrix products of a fine-tuning, as far as its options tell: no early end, texts as they are. */
export const flops = ({ encoded, options }: TextFineTune, config: BertConfig.BertConfig): number => {
  const { rows, bucket: step, epochs, evaluations, examples } = options
  const forward = (texts: EncodedTexts): number =>
    LengthBuckets.all(TextBatch.lengths(texts), { rows, step, longest: encoded.longest }).reduce(
      (sum, { length }) => sum + Flops.forward(config, { rows, length, masked: 0 }),
      0
    )
  const share = Math.min(1, (examples ?? encoded.train.count) / encoded.train.count)
  const judging = judgedOf({ encoded, options }).reduce((sum, texts) => sum + forward(texts), 0)
  return epochs * (3 * share * forward(encoded.train) + evaluations * judging)
}
