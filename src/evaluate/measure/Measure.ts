import * as Effect from "effect/Effect"
import type { Backend, CompileError, ExecutionError } from "../../backend/index.ts"
import type { Dataset } from "../../data/index.ts"
import type { BertConfig, Flops, Model } from "../../model/index.ts"
import { type ConfigError, type Seed, Spec } from "../../spec/index.ts"
import type * as DiscrepancyCurve from "../DiscrepancyCurve.ts"
import type * as HeldOut from "../HeldOut.ts"
import type { NotFinite } from "../NotFinite.ts"
import type { Given } from "./Given.ts"

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
  /** The measures that it is made of, where it is made of several. */
  readonly parts?: ReadonlyArray<Measure>
  /** What takes its place where a user gives other data than Brown; it stays as it is unless given. */
  readonly on?: (given: Given) => Replacement | undefined
}

/** A measure in the place of another, and the columns it has where each of the other's was, by their ids. */
export interface Replacement {
  readonly measure: Measure
  readonly columns: ReadonlyMap<string, ReadonlyArray<string>>
}

/** A measure in the place of another whose columns are the same in the same order, under other ids. */
export const inPlaceOf = (measure: Measure, columns: ReadonlyArray<Column>): Replacement => ({
  measure,
  columns: new Map(columns.map(({ id }, i) => [id, measure.columns.slice(i, i + 1).map((column) => column.id)]))
})

/** Options at full scale and, where a context is small, in its place; both are part of the spec. */
export interface Sized<Options> {
  readonly full?: Partial<Options>
  readonly small?: Partial<Options>
}

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
  parts: measures,
  run: (context) =>
    Effect.map(
      Effect.forEach(measures, ({ run }) => run(context)),
      (values) => Object.fromEntries(values.flatMap((each) => Object.entries(each)))
    ),
  flops: (size) => flops(measures, size),
  ...(measures.some(({ on }) => on !== undefined)
    ? {
        on: (given) => {
          const found = measures.map((measure) => measure.on?.(given))
          return found.every((each) => each === undefined)
            ? undefined
            : {
                measure: all(
                  name,
                  measures.map((measure, i) => found[i]?.measure ?? measure)
                ),
                columns: new Map(found.flatMap((each) => [...(each?.columns ?? [])]))
              }
        }
      }
    : {})
})

/**
 * Measures with those that others are made of in their place, so that each can be told of when it begins.
 *
 * @example
 * ```ts
 * import { Measure } from "homodistil/evaluate"
 * const nested = Measure.all("outer", [Measure.curve(), Measure.all("inner", [Measure.parameters()])])
 * assert.deepEqual(Measure.single([nested]).map(({ spec }) => spec.name), ["discrepancyCurve", "parameters"])
 * ```
 */
export const single = (measures: ReadonlyArray<Measure>): ReadonlyArray<Measure> =>
  measures.flatMap((measure) => (measure.parts === undefined ? [measure] : single(measure.parts)))

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
