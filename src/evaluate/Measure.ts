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
import { type BertConfig, Flops, Model } from "../model/index.ts"
import { type ConfigError, Seed, Spec } from "../spec/index.ts"
import * as CutModel from "./CutModel.ts"
import * as DiscrepancyCurve from "./DiscrepancyCurve.ts"
import * as FineTune from "./FineTune.ts"
import * as HeldOut from "./HeldOut.ts"
import type { NotFinite } from "./NotFinite.ts"
import * as Probe from "./Probe.ts"
import * as SpanFineTune from "./SpanFineTune.ts"
import * as SquadNote from "./SquadNote.ts"
import * as Tuning from "./Tuning.ts"

/** One number of a measure: a column of a table. */
export interface Column {
  readonly id: string
  readonly name: string
  /** `nats`, `%`, ... */
  readonly unit?: string
  readonly better: "lower" | "higher" | "none"
  /** Digits after the point. */
  readonly digits: number
  /** What the reader should know of it, under a table that shows it. */
  readonly note?: string
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

/** What the operations of a measure follow from, before anything runs. */
export interface MeasureSize {
  /** The shape of the model. */
  readonly config: BertConfig.BertConfig
  /** All held-out rows as one batch. */
  readonly heldOut: Flops.Batch
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
  /** Floating-point operations of its matrix products, as far as its options tell: what a plan counts; none unless given. */
  readonly flops?: (size: MeasureSize) => number
  /**
   * The same with SQuAD in the place of Brown's spans, in rows of so many pieces, where it measures those: its columns in the same order.
   */
  readonly onSquad?: (task: SquadTask, length: number) => Measure
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
    })),
  flops: ({ config, heldOut }) => Flops.forward(config, heldOut)
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

/** A measure that does one thing at full scale, and another of its kind where a context is small; both with every option decided. */
const sized = <Decided extends { readonly spec: Spec.Spec }, Found>(o: {
  readonly name: string
  readonly columns: ReadonlyArray<Column>
  readonly full: Decided
  readonly small: Decided
  readonly run: (what: Decided, context: MeasureContext) => Effect.Effect<Found, MeasureError, Backend>
  /** The number of each column, by its id. */
  readonly values: (found: Found) => { readonly [id: string]: number }
  readonly flops: (what: Decided, config: BertConfig.BertConfig) => number
}): Measure => {
  const { full, small } = o
  const of = (context: Pick<MeasureContext, "small">): Decided => (context.small === true ? small : full)
  return {
    spec: Spec.make(o.name, {
      options: { full: full.spec.options, small: small.spec.options },
      parts: full.spec.parts ?? []
    }),
    columns: o.columns,
    run: (context) => Effect.map(o.run(of(context), context), o.values),
    flops: (size) => o.flops(of(size), size.config)
  }
}

/**
 * How well a logistic regression tells a task's labels from the frozen model's hidden states: test accuracy, `Probe.run`.
 *
 * Throws `ConfigError` with every illegal option at once.
 */
export const probe = (task: Task, options: Sized<Probe.ProbeOptions> = {}): Measure => {
  const id = `${task.spec.name}.probe`
  return sized({
    name: "probe",
    columns: [{ id, name: `${title(task)}, probe`, ...percent }],
    full: Probe.make(task, options.full),
    small: Probe.make(task, { ...Probe.small(task.kind), ...options.small }),
    run: (what, { model, dataset }) => Probe.run(what, model, dataset),
    values: ({ accuracy }) => ({ [id]: 100 * accuracy }),
    flops: Probe.flops
  })
}

/** The seed of the fine-tuning on a task. */
const tuningSeed = ({ spec }: { readonly spec: Spec.Spec }, { seed }: MeasureContext): Seed.Seed =>
  Seed.child(seed, `fine-tune ${spec.name}`)

/**
 * How well the model does on a task after fine-tuning all its weights: test accuracy, `FineTune.run`; the run's seed decides
 * the head's start, the order of the examples and dropout.
 *
 * Throws `ConfigError` with every illegal option at once.
 */
export const fineTune = (task: Task, options: Sized<FineTune.FineTuneOptions> = {}): Measure => {
  const id = `${task.spec.name}.fineTune`
  return sized({
    name: "fineTune",
    columns: [{ id, name: `${title(task)}, fine-tuned`, ...percent }],
    full: FineTune.make(task, options.full),
    small: FineTune.make(task, { ...FineTune.small(task.kind), ...options.small }),
    run: (what, context) => FineTune.run(what, context.model, context.dataset, tuningSeed(task, context)),
    values: ({ accuracy }) => ({ [id]: 100 * accuracy }),
    flops: ({ options }, config) => Tuning.flops(options, config)
  })
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
    ),
  flops: (size) => flops(measures, size),
  ...(measures.some(({ onSquad }) => onSquad !== undefined)
    ? {
        onSquad: (task, length) =>
          all(
            name,
            measures.map((measure) => measure.onSquad?.(task, length) ?? measure)
          )
      }
    : {})
})

/**
 * Floating-point operations of the matrix products that measures take, together.
 *
 * @example
 * ```ts
 * import { Measure } from "homodistil/evaluate"
 * import { BertConfig } from "homodistil/model"
 * const size = { config: BertConfig.micro, heldOut: { rows: 128, length: 64, masked: 1152 } }
 * const of = (small: boolean) => Measure.flops(Measure.standard(), { ...size, small })
 * assert.ok(of(false) > 10 * of(true) && of(true) > 0)
 * ```
 */
export const flops = (measures: ReadonlyArray<Measure>, size: MeasureSize): number =>
  measures.reduce((sum, measure) => sum + (measure.flops?.(size) ?? 0), 0)

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
 * the noun phrases of Brown (`spanPhrase`) unless another task is given, or a command is given SQuAD (`onSquad`). The run's seed decides as in `fineTune`.
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
  const { task: which = spanPhrase(), full = {}, small = {} } = options
  const own = spanOf(which, { full, small }, { id: "span", names: ["Exact match", "F1"] })
  if (options.task !== undefined) return own
  return {
    ...own,
    columns: own.columns.map((column) => ({ ...column, note: phraseNote })),
    onSquad: (files, length) => squad(files, { full: { length, ...full }, small: { length, ...small } })
  }
}

const phraseNote =
  "The span is the longest base noun phrase of a sentence of Brown; at micro scale a guess by position alone has 4.8 % exact matches and an F1 of 14.8 %, and a model of random weights that is fine-tuned alike about 30 and 57 %."

/** A measure by span fine-tuning: its columns are `<id>.exact` and `<id>.f1`. */
const spanOf = (
  which: SpanTask,
  options: Sized<SpanFineTune.SpanFineTuneOptions>,
  shown: { readonly id: string; readonly names: readonly [exact: string, f1: string]; readonly note?: string }
): Measure => {
  const { id, names, ...note } = shown
  return sized({
    name: "span",
    columns: [
      { id: `${id}.exact`, name: names[0], ...percent, ...note },
      { id: `${id}.f1`, name: names[1], ...percent, ...note }
    ],
    full: SpanFineTune.make(which, options.full),
    small: SpanFineTune.make(which, { ...SpanFineTune.small, ...options.small }),
    run: (what, context) => SpanFineTune.run(what, context.model, context.dataset, tuningSeed(which, context)),
    values: ({ exact, f1 }) => ({ [`${id}.exact`]: 100 * exact, [`${id}.f1`]: 100 * f1 }),
    flops: ({ options }, config) => Tuning.flops(options, config)
  })
}

/**
 * Exact match and F1 on SQuAD as `span` measures them, in rows of 64 pieces unless another length is given; as many questions as the micro
 * scale takes, or as the files have.
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
 * assert.deepEqual(measure.columns.map((column) => column.id), ["squad.exact", "squad.f1"])
 * ```
 */
export const squad = (which: SquadTask, options: Sized<SpanFineTune.SpanFineTuneOptions> = {}): Measure => {
  const { train, test } = which.available
  const bounded = (of: SpanFineTune.SpanFineTuneOptions): SpanFineTune.SpanFineTuneOptions => ({
    ...of,
    train: Math.max(1, Math.min(of.train, train)),
    test: Math.max(1, Math.min(of.test, test))
  })
  const full = bounded({ ...SpanFineTune.defaults, length: 64, ...options.full })
  const small = bounded({ ...SpanFineTune.small, length: 64, ...options.small })
  return spanOf(
    which,
    { full, small },
    {
      id: "squad",
      names: ["SQuAD, exact match", "SQuAD, F1"],
      note: SquadNote.of(which, { full, small })
    }
  )
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
