import { Axis, BertConfig, type Model, Parameters } from "homodistil/model"
import { PrunePlan } from "homodistil/pruning"
import { Seed } from "homodistil/spec"
import type * as fc from "fast-check"
import { randomParameters } from "../model/tiny.ts"
import { type own } from "./configs.ts"

type Drawn = typeof own extends fc.Arbitrary<infer T> ? T : never

/** Some units of each block of an axis, as many in each. */
const chosen = ({ id, size, blocks }: Axis.Axis, kept: number, seed: Seed.Seed): ReadonlyArray<number> =>
  Array.from({ length: blocks }, (_, block) => {
    const width = size / blocks
    const units = [...Seed.permutation(Seed.child(seed, id, block), width)].slice(0, kept / blocks)
    return units.map((unit) => block * width + unit)
  })
    .flat()
    .toSorted((a, b) => a - b)

/**
 * A student cut to the drawn sizes from a random teacher that is wider: hidden, feed-forward and heads, each its own units. The factor on
 * attention scores is the teacher's.
 */
export const studentOf = ({ sizes, cut, act, head }: Drawn): Model.Model => {
  const { headWidth, heads, ffn, typeCount, epsilon, std, seed: number, ...counts } = sizes
  const seed = Seed.make(number)
  const wide = {
    ...BertConfig.uniform({
      ...counts,
      heads,
      types: typeCount,
      hidden: heads * (headWidth + cut),
      ffn: ffn + 4 * cut
    }),
    epsilon,
    ...(act === undefined ? {} : { activation: act }),
    ...(head === "none" ? { head } : head === "untied" ? { decoder: head } : {})
  } satisfies BertConfig.BertConfig
  const axes = BertConfig.axes(wide)
  const widthOf = (axis: Axis.Axis) => (axis.id.endsWith("ffn") ? ffn : heads * headWidth)
  const units = Axis.prunable(axes).map((axis) => [axis.id, chosen(axis, widthOf(axis), seed)] as const)
  const plan = PrunePlan.of(Object.fromEntries(units))
  const config = BertConfig.fromAxes(wide, PrunePlan.axesAfter(axes, plan))
  const parameters = PrunePlan.cutTree(randomParameters(seed, wide, std), Parameters.bert(wide), plan)
  return { config, parameters }
}
