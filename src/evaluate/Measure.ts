import * as Effect from "effect/Effect"
import type { Backend, CompileError, ExecutionError } from "../backend/index.ts"
import {
  type Dataset,
  genre,
  partOfSpeech,
  spanPhrase,
  type SpanTask,
  type SquadTask,
  type Task,
  wordOrder
} from "../data/index.ts"
import { Model } from "../model/index.ts"
import { type ConfigError, Seed, Spec } from "../spec/index.ts"
import * as CutModel from "./CutModel.ts"
import * as DiscrepancyCurve from "./DiscrepancyCurve.ts"
import * as FineTune from "./FineTune.ts"
import * as HeldOut from "./HeldOut.ts"
import type { NotFinite } from "./NotFinite.ts"
import * as Probe from "./Probe.ts"
import * as SpanFineTune from "./SpanFineTune.ts"

/** One number of a measure: a column of a table. */
export interface Column {
  readonly id: string
  readonly name: string
  /** `nats`, `%`, ... */
  readonly unit?: string
  readonly better: "lower" | "higher" | "none"
  /** Digits after the point. */
  readonly digits: number
}

/** What measures are taken on: the model a run ended with, and what else is known of the run. */
export interface MeasureContext {
  readonly model: Model.Model
  readonly dataset: Dataset
  /** Held-out batches with the teacher's logits. */
  readonly heldOut: HeldOut.Reference
  /** The prediction discrepancy during the run. */
  readonly curve: DiscrepancyCurve.DiscrepancyCurve
  /** The run's seed. */
  readonly seed: Seed.Seed
  /** Whether downstream tasks are measured with few examples and steps: a smoke test. */
  readonly small?: boolean
}

/** What may go wrong while measuring. */
export type MeasureError = CompileError | ExecutionError | ConfigError | NotFinite

/** Something to measure of a model: several columns where they share their work. */
export interface Measure {
  /** Everything that shapes the numbers, besides the context; part of the key of a cell. */
  readonly spec: Spec.Spec
  readonly columns: ReadonlyArray<Column>
  /** The number of each column, by its id. */
  readonly run: (context: MeasureContext) => Effect.Effect<{ readonly [id: string]: number }, MeasureError, Backend>
}

const nats = { unit: "nats", better: "lower", digits: 3 } as const
const percent = { unit: "%", better: "higher", digits: 1 } as const

/**
 * Masked-language-model loss and accuracy on the held-out batches, and there the prediction discrepancy KL(teacher ‖ student):
 * three columns of one forward pass.
 */
export const heldOut = (): Measure => ({
  spec: Spec.make("heldOut"),
  columns: [
    { id: "heldOut.discrepancy", name: "Test discrepancy", ...nats },
    { id: "heldOut.loss", name: "Test MLM loss", ...nats },
    { id: "heldOut.accuracy", name: "Test MLM accuracy", ...percent }
  ],
  run: ({ model, heldOut }) =>
    Effect.map(HeldOut.measure(CutModel.of(model), heldOut), ({ loss, accuracy, discrepancy }) => ({
      "heldOut.discrepancy": discrepancy,
      "heldOut.loss": loss,
      "heldOut.accuracy": 100 * accuracy
    }))
})

/** The prediction discrepancy during the run (the paper's Fig. 3): at the end, its area as a mean over the steps, and its peak. */
export const curve = (): Measure => ({
  spec: Spec.make("discrepancyCurve"),
  columns: [
    { id: "curve.final", name: "Final discrepancy", ...nats },
    { id: "curve.area", name: "Mean discrepancy", ...nats },
    { id: "curve.peak", name: "Peak discrepancy", ...nats }
  ],
  run: ({ curve }) =>
    Effect.sync(() => ({
      "curve.final": DiscrepancyCurve.final(curve),
      "curve.area": DiscrepancyCurve.area(curve),
      "curve.peak": DiscrepancyCurve.peak(curve)
    }))
})

/** How many numbers the model holds; what is masked counts as gone. */
export const parameters = (): Measure => ({
  spec: Spec.make("parameters"),
  columns: [{ id: "parameters", name: "Parameters", better: "none", digits: 0 }],
  run: ({ model }) => Effect.sync(() => ({ parameters: Model.size(CutModel.of(model)) }))
})

/** Options at full scale and, where a context is small, in its place; both are part of the spec. */
export interface Sized<Options> {
  readonly full?: Partial<Options>
  readonly small?: Partial<Options>
}

const sizedSpec = (name: string, full: Spec.Spec, small: Spec.Spec): Spec.Spec =>
  Spec.make(name, { options: { full: full.options, small: small.options }, parts: full.parts ?? [] })

/**
 * How well a logistic regression tells a task's labels from the frozen model's hidden states: test accuracy, `Probe.run`.
 *
 * Throws `ConfigError` with every illegal option at once.
 */
export const probe = (task: Task, options: Sized<Probe.ProbeOptions> = {}): Measure => {
  const full = Probe.make(task, options.full)
  const small = Probe.make(task, { ...Probe.small(task.kind), ...options.small })
  const id = `${task.spec.name}.probe`
  return {
    spec: sizedSpec("probe", full.spec, small.spec),
    columns: [{ id, name: `${title(task)}, probe`, ...percent }],
    run: (context) =>
      Effect.map(Probe.run(context.small === true ? small : full, context.model, context.dataset), ({ accuracy }) => ({
        [id]: 100 * accuracy
      }))
  }
}

/**
 * How well the model does on a task after fine-tuning all its weights: test accuracy, `FineTune.run`; the run's seed decides
 * the head's start, the order of the examples and dropout.
 *
 * Throws `ConfigError` with every illegal option at once.
 */
export const fineTune = (task: Task, options: Sized<FineTune.FineTuneOptions> = {}): Measure => {
  const full = FineTune.make(task, options.full)
  const small = FineTune.make(task, { ...FineTune.small(task.kind), ...options.small })
  const id = `${task.spec.name}.fineTune`
  return {
    spec: sizedSpec("fineTune", full.spec, small.spec),
    columns: [{ id, name: `${title(task)}, fine-tuned`, ...percent }],
    run: (context) =>
      Effect.map(
        FineTune.run(
          context.small === true ? small : full,
          context.model,
          context.dataset,
          Seed.child(context.seed, `fine-tune ${task.spec.name}`)
        ),
        ({ accuracy }) => ({ [id]: 100 * accuracy })
      )
  }
}

/** `partOfSpeech` as words: `Part of speech`. */
const title = (task: Task): string =>
  task.spec.name
    .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .replace(/^./, (letter) => letter.toUpperCase())

/**
 * Several measures as one, with the columns of all.
 *
 * @example
 * ```ts
 * import { Measure } from "homodistil/evaluate"
 * const both = Measure.all("run", [Measure.curve(), Measure.parameters()])
 * assert.deepEqual(both.columns.map((column) => column.id), ["curve.final", "curve.area", "curve.peak", "parameters"])
 * ```
 */
export const all = (name: string, measures: ReadonlyArray<Measure>): Measure => ({
  spec: Spec.make(name, { parts: measures.map(({ spec }) => spec) }),
  columns: measures.flatMap(({ columns }) => columns),
  run: (context) =>
    Effect.map(
      Effect.forEach(measures, ({ run }) => run(context)),
      (values) => Object.fromEntries(values.flatMap((each) => Object.entries(each)))
    )
})

/**
 * A downstream task by frozen probe and by fine-tuning: two columns.
 *
 * @example
 * ```ts
 * import { partOfSpeech } from "homodistil/data"
 * import { Measure } from "homodistil/evaluate"
 * assert.deepEqual(Measure.task(partOfSpeech()).columns.map((column) => column.name), ["Part of speech, probe", "Part of speech, fine-tuned"])
 * ```
 */
export const task = (
  which: Task,
  options: { readonly probe?: Sized<Probe.ProbeOptions>; readonly fineTune?: Sized<FineTune.FineTuneOptions> } = {}
): Measure => all("task", [probe(which, options.probe), fineTune(which, options.fineTune)])

/**
 * The three tasks of the Brown corpus as the micro scale measures them: part of speech, genre and word order, each by probe and
 * by fine-tuning; six columns.
 *
 * @example
 * ```ts
 * import { Measure } from "homodistil/evaluate"
 * const ids = Measure.brown().columns.map((column) => column.id)
 * assert.deepEqual(ids.slice(0, 3), ["partOfSpeech.probe", "partOfSpeech.fineTune", "genre.probe"])
 * ```
 */
export const brown = (): Measure => {
  // a sentence is short, a genre needs all the text there is
  const sentences = { length: 32 }
  return all("brown", [
    task(partOfSpeech()),
    task(genre(), { fineTune: { full: { train: 1920, steps: 120, learningRate: 1e-3 } } }),
    task(wordOrder(), {
      probe: { full: sentences, small: sentences },
      fineTune: { full: sentences, small: sentences }
    })
  ])
}

/**
 * How well the model finds answers after fine-tuning all its weights: exact match and F1 as SQuAD counts them, `SpanFineTune.run`;
 * the noun phrases of Brown (`spanPhrase`) unless another task is given. The run's seed decides as in `fineTune`.
 *
 * Throws `ConfigError` with every illegal option at once.
 *
 * @example
 * ```ts
 * import { Measure } from "homodistil/evaluate"
 * assert.deepEqual(Measure.span().columns.map((column) => column.id), ["span.exact", "span.f1"])
 * ```
 */
export const span = (options: Sized<SpanFineTune.SpanFineTuneOptions> & { readonly task?: SpanTask } = {}): Measure => {
  const { task: which = spanPhrase() } = options
  const full = SpanFineTune.make(which, options.full)
  const small = SpanFineTune.make(which, { ...SpanFineTune.small, ...options.small })
  return {
    spec: sizedSpec("span", full.spec, small.spec),
    columns: [
      { id: "span.exact", name: "Exact match", ...percent },
      { id: "span.f1", name: "F1", ...percent }
    ],
    run: (context) =>
      Effect.map(
        SpanFineTune.run(
          context.small === true ? small : full,
          context.model,
          context.dataset,
          Seed.child(context.seed, `fine-tune ${which.spec.name}`)
        ),
        ({ exact, f1 }) => ({ "span.exact": 100 * exact, "span.f1": 100 * f1 })
      )
  }
}

/**
 * Exact match and F1 on SQuAD as `span` measures them, in rows of 64 pieces; as many questions as the micro scale takes, or as
 * the files have.
 *
 * Throws `ConfigError` with every illegal option at once.
 *
 * @example
 * ```ts
 * import { squadOfJson, spanSquad, tokenizerOfVocabulary } from "homodistil/data"
 * import { Measure } from "homodistil/evaluate"
 * import * as Result from "effect/Result"
 * const qas = [{ id: "1", question: "a", answers: [{ text: "b", answer_start: 2 }] }]
 * const json = JSON.stringify({ data: [{ title: "t", paragraphs: [{ context: "a b", qas }] }] })
 * const file = Result.getOrThrow(squadOfJson("one.json", json))
 * const toy = tokenizerOfVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"], (word) => [word === "a" ? 5 : 6])
 * const measure = Measure.squad(spanSquad({ train: file, test: file }, toy))
 * assert.deepEqual(measure.columns.map((column) => column.id), ["span.exact", "span.f1"])
 * ```
 */
export const squad = (which: SquadTask, options: Sized<SpanFineTune.SpanFineTuneOptions> = {}): Measure => {
  const { train, test } = which.available
  const bounded = (of: SpanFineTune.SpanFineTuneOptions): SpanFineTune.SpanFineTuneOptions => ({
    ...of,
    train: Math.max(1, Math.min(of.train, train)),
    test: Math.max(1, Math.min(of.test, test)),
    length: 64
  })
  return span({
    task: which,
    full: { ...bounded(SpanFineTune.defaults), ...options.full },
    small: { ...bounded(SpanFineTune.small), ...options.small }
  })
}

/**
 * What tables 3 to 6 and figure 3 measure alike, so that they share their cells: held-out loss, the discrepancy during the run,
 * Brown's three tasks, and span extraction.
 *
 * @example
 * ```ts
 * import { Measure } from "homodistil/evaluate"
 * assert.deepEqual(Measure.standard().map(({ spec }) => spec.name), ["heldOut", "discrepancyCurve", "brown", "span"])
 * ```
 */
export const standard = (): ReadonlyArray<Measure> => [heldOut(), curve(), brown(), span()]
