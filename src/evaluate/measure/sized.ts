import * as Effect from "effect/Effect"
import type { Backend } from "../../backend/index.ts"
import type { BertConfig } from "../../model/index.ts"
import { Seed, Spec } from "../../spec/index.ts"
import type { Column, Measure, MeasureContext, MeasureError } from "./Measure.ts"

/** How accuracies are shown. */
export const percent = { unit: "%", better: "higher", digits: 1 } as const

/** A measure that does one thing at full scale, and another of its kind where a context is small; both with every option decided. */
export const sized = <Decided extends { readonly spec: Spec.Spec }, Found>(o: {
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

/** The seed of the fine-tuning on a task. */
export const tuningSeed = ({ spec }: { readonly spec: Spec.Spec }, { seed }: MeasureContext): Seed.Seed =>
  Seed.child(seed, `fine-tune ${spec.name}`)
