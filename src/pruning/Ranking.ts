import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Axis } from "../model/index.ts"
import { ConfigError, Options, Spec } from "../spec/index.ts"
import type { PrunePlan } from "./PrunePlan.ts"
import { ShapeError } from "./ShapeError.ts"

/** What a ranking decides from. */
export interface RankingInput {
  /** The axes before anything was pruned: ratios count from their sizes. */
  readonly original: Axis.Axes
  /** The axes now. */
  readonly current: Axis.Axes
  /** The share of the original units that remains, in (0, 1]. */
  readonly ratio: number
  /** The scores of the present units of each prunable axis, [axis size]; higher stays. */
  readonly scores: ReadonlyMap<Axis.AxisId, Float32Array>
}

/** How many and which units remain. */
export interface Ranking {
  readonly spec: Spec.Spec
  /** The new sizes of the axes that shrink; empty when there is nothing to prune, so that no score need be computed. */
  readonly widths: (input: Omit<RankingInput, "scores">) => ReadonlyMap<Axis.AxisId, number>
  /** The plan for the present units; it names only axes that shrink. */
  readonly plan: (input: RankingInput) => PrunePlan
}

/** The ranking of a run. */
export class RankingService extends Context.Service<RankingService, Ranking>()("homodistil/Ranking") {}

/** Provides a ranking. */
export const layer = (ranking: Ranking): Layer.Layer<RankingService> =>
  Layer.succeed(RankingService, RankingService.of(ranking))

const Local = Schema.Struct({ multiples: Options.withDefault(Schema.Record(Schema.String, Options.Count), {}) })

/** By axis (`hidden`, `layer.0.ffn`) or kind of axis (`ffn`, `qk`, `vo`): the number that the units of a block stay a multiple of; 1 unless given. */
export type LocalOptions = typeof Local.Encoded

/** The nearest integer, halves to the even one, as IEEE 754 and PyTorch round. */
const nearest = (x: number): number => {
  const below = Math.floor(x)
  return x - below === 0.5 ? below + (below % 2) : Math.round(x)
}

/** How many of a block's units remain: at least one multiple, never more than now. */
const keep = (original: number, current: number, ratio: number, multiple: number): number =>
  Math.min(current, Math.max(multiple, multiple * nearest((ratio * original) / multiple)))

/** The `count` highest of `scores[from …]`, the lower index first among equals, as rising indices. */
const best = (
  axis: Axis.AxisId,
  scores: Float32Array,
  from: number,
  size: number,
  count: number
): ReadonlyArray<number> => {
  const of = (i: number): number => {
    const score = scores[i] ?? Number.NaN
    if (Number.isNaN(score)) throw new ShapeError({ axis, expected: `a score for unit ${i}`, got: String(score) })
    return score
  }
  const units = Array.from({ length: size }, (_, i) => from + i)
  return units
    .sort((a, b) => of(b) - of(a) || a - b)
    .slice(0, count)
    .sort((a, b) => a - b)
}

type WidthOf = (input: Omit<RankingInput, "scores">, axis: Axis.Axis) => number

/** Ranks the units of each block among themselves; `blockWidth` says how many of a block remain. */
const byBlock = (spec: Spec.Spec, blockWidth: WidthOf): Ranking => {
  const shrinking = (input: Omit<RankingInput, "scores">) =>
    Axis.prunable(input.current).flatMap((axis) => {
      const width = blockWidth(input, axis)
      return width * axis.blocks < axis.size ? [{ axis, width }] : []
    })
  return {
    spec,
    widths: (input) => new Map(shrinking(input).map(({ axis, width }) => [axis.id, width * axis.blocks])),
    plan: (input) => ({
      kept: new Map(
        shrinking(input).map(({ axis, width }) => {
          const scores = input.scores.get(axis.id) ?? new Float32Array(0)
          const size = axis.size / axis.blocks
          const blocks = Array.from({ length: axis.blocks }, (_, b) => best(axis.id, scores, b * size, size, width))
          return [axis.id, Int32Array.from(blocks.flat())]
        })
      )
    })
  }
}

/** What stands under an axis (`layer.0.ffn`) or else its kind (`ffn`). */
const byAxisOrKind = <A>(table: { readonly [id: string]: A }, id: Axis.AxisId): A | undefined =>
  table[id] ?? table[id.slice(id.lastIndexOf(".") + 1)]

/**
 * Ranks the units of each block of each axis among themselves, so all layers and all heads keep equal widths (paper, §3).
 *
 * Of n original units in a block, max(m, m · round(ratio · n / m)) remain, m being the axis' multiple; widths never grow.
 * Throws `ConfigError` when a multiple is no integer of at least 1; `plan` throws `ShapeError` when scores are missing.
 *
 * @example
 * ```ts
 * import { Axis } from "homodistil/model"
 * import { Ranking } from "homodistil/pruning"
 * const axes = Axis.of([{ id: "layer.0.vo", size: 4, blocks: 2, prunable: true }])
 * const scores = new Map([["layer.0.vo", Float32Array.of(1, 2, 4, 3)]])
 * const plan = Ranking.local().plan({ original: axes, current: axes, ratio: 0.5, scores })
 * assert.deepEqual([...(plan.kept.get("layer.0.vo") ?? [])], [1, 2])
 * ```
 */
export const local = (options: LocalOptions = {}): Ranking => {
  const { multiples } = Options.decode("local", Local, options)
  return byBlock(Spec.make("local", { options: { multiples } }), ({ original, ratio }, axis) => {
    const whole = Axis.get(original, axis.id)
    const multiple = byAxisOrKind(multiples, axis.id) ?? 1
    return keep(whole.size / whole.blocks, axis.size / axis.blocks, ratio, multiple)
  })
}

const Target = Schema.Struct({ final: Options.Share, widths: Schema.Record(Schema.String, Options.Count) })

/** The ratio at which pruning ends, and the units that then remain of each axis (`layer.0.ffn`) or kind of axis (`hidden`, `ffn`, `qk`, `vo`), all blocks together. */
export type TargetOptions = typeof Target.Encoded

/** Units of a block that remain at the end; the axis stays as it is where no target names it. */
const targetOf = (widths: TargetOptions["widths"], axis: Axis.Axis): number => {
  const target = byAxisOrKind(widths, axis.id) ?? axis.size
  if (target <= axis.size && target % axis.blocks === 0) return target / axis.blocks
  throw new ConfigError({
    problems: [
      {
        key: `width of ${axis.id}`,
        value: String(target),
        bound: `a multiple of ${axis.blocks} up to ${axis.size}`,
        remedy: `use ${Math.min(axis.size, axis.blocks * Math.max(1, Math.floor(target / axis.blocks)))}`
      }
    ]
  })
}

/**
 * Ranks as `local` does, towards given widths: while the ratio falls from 1 to `final`, every axis falls from its own width to its target, all of them
 * by the same share of their way.
 *
 * Throws `ConfigError` when an option is out of bounds and, asked for widths, when an axis has no such target: wider than it is, or no multiple of
 * its blocks.
 *
 * @example
 * ```ts
 * import { Axis } from "homodistil/model"
 * import { Ranking } from "homodistil/pruning"
 * const axes = Axis.of([{ id: "hidden", size: 8, blocks: 1, prunable: true }, { id: "layer.0.ffn", size: 32, blocks: 1, prunable: true }])
 * const ranking = Ranking.toWidths({ final: 0.5, widths: { hidden: 4, ffn: 8 } })
 * const widths = (ratio: number) => Object.fromEntries(ranking.widths({ original: axes, current: axes, ratio }))
 * assert.deepEqual([widths(0.75), widths(0.5)], [{ hidden: 6, "layer.0.ffn": 20 }, { hidden: 4, "layer.0.ffn": 8 }])
 * ```
 */
export const toWidths = (options: TargetOptions): Ranking => {
  const { final, widths } = Options.decode("toWidths", Target, options)
  return byBlock(Spec.make("toWidths", { options: { final, widths } }), ({ original, ratio }, axis) => {
    const whole = Axis.get(original, axis.id)
    const [units, target] = [whole.size / whole.blocks, targetOf(widths, whole)]
    const left = ratio <= final ? target : nearest(units - ((units - target) * (1 - ratio)) / (1 - final))
    return Math.min(axis.size / axis.blocks, Math.max(target, left))
  })
}
