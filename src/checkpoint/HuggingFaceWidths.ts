import * as Result from "effect/Result"
import type { BertConfig as Config } from "../model/index.ts"
import { ConfigError, type ConfigProblem } from "../spec/index.ts"
import { usualScale } from "./HuggingFaceConfig.ts"

type BertConfig = Config.BertConfig

/** The widths a plan has, on their way into a message: one number where all layers agree. */
const told = (widths: ReadonlyArray<number>): string => {
  const different = [...new Set(widths)]
  return different.length === 1 ? String(different[0]) : `[${widths.join(", ")}]`
}

/**
 * What Hugging Face's BertConfig has no words for in these widths: it knows one hidden width, a multiple of the heads, which is the width
 * of queries, keys and values, too, and one feed-forward width for all layers.
 */
export const reasons = ({ heads, hidden, ffn, qk, vo }: BertConfig): ReadonlyArray<string> => [
  ...(hidden % heads === 0 ? [] : [`hidden ${hidden} is no multiple of ${heads} heads`]),
  ...(qk.every((width) => width === hidden) ? [] : [`qk ${told(qk)} is not hidden ${hidden}`]),
  ...(vo.every((width) => width === hidden) ? [] : [`vo ${told(vo)} is not hidden ${hidden}`]),
  ...(new Set(ffn).size <= 1 ? [] : [`ffn ${told(ffn)} differs between layers`])
]

/**
 * The nearest widths that BertConfig has words for: `hidden` becomes the multiple of the heads nearest to it (of two as near the smaller),
 * attention follows it, and every layer's `ffn` becomes their mean, rounded. What is legal stays as it is, and so does the rest of the
 * configuration; the factor on attention scores becomes the usual one.
 *
 * @example
 * ```ts
 * import { HuggingFaceWidths } from "homodistil/checkpoint"
 * import { BertConfig } from "homodistil/model"
 * const uneven = { ...BertConfig.micro, hidden: 97, ffn: [100, 101, 110, 120] }
 * const { hidden, ffn, qk } = HuggingFaceWidths.nearest(uneven)
 * assert.deepEqual([hidden, ffn, qk], [96, [108, 108, 108, 108], [96, 96, 96, 96]])
 * ```
 */
export const nearest = (config: BertConfig): BertConfig => {
  const { heads, layers } = config
  const below = Math.floor(config.hidden / heads) * heads
  const hidden = below > 0 && config.hidden - below <= below + heads - config.hidden ? below : below + heads
  const mean = config.ffn.reduce((sum, width) => sum + width, 0) / Math.max(1, config.ffn.length)
  const each = (width: number) => Array.from({ length: layers }, () => width)
  const widths = { hidden, ffn: each(Math.max(1, Math.round(mean))), qk: each(hidden), vo: each(hidden) }
  return { ...config, ...widths, scale: usualScale({ hidden, heads }) }
}

/**
 * What to say of planned widths that no Hugging Face directory for `transformers` can have, with the nearest that one can; `undefined`
 * where there is nothing to say. `key` is the setting that the widths follow from.
 *
 * @example
 * ```ts
 * import { HuggingFaceWidths } from "homodistil/checkpoint"
 * import { BertConfig } from "homodistil/model"
 * assert.equal(HuggingFaceWidths.problem(BertConfig.micro), undefined)
 * const { remedy } = HuggingFaceWidths.problem({ ...BertConfig.micro, hidden: 97 }) ?? assert.fail()
 * assert.match(remedy, /^plan for hidden 96, ffn 512/)
 * ```
 */
export const problem = (config: BertConfig, key = "widths"): ConfigProblem | undefined => {
  const wrong = reasons(config)
  if (wrong.length === 0) return undefined
  const { hidden, ffn, heads } = nearest(config)
  return {
    key,
    value: `hidden ${config.hidden}, ffn ${told(config.ffn)}, qk ${told(config.qk)}, vo ${told(config.vo)}`,
    bound: `widths that Hugging Face's BertConfig has words for, but ${wrong.join(", and ")}`,
    remedy:
      `plan for hidden ${hidden}, ffn ${told(ffn)} and heads of ${hidden / heads} in every layer, the nearest it has words for, ` +
      "or export to ONNX, which takes any widths"
  }
}

/** The configuration where `transformers` could load it; fails with `ConfigError` naming the nearest legal widths where not. */
export const check = (config: BertConfig, key?: string): Result.Result<BertConfig, ConfigError> => {
  const found = problem(config, key)
  return found === undefined ? Result.succeed(config) : Result.fail(new ConfigError({ problems: [found] }))
}
