import * as Schema from "effect/Schema"
import { ConfigError, Options } from "../spec/index.ts"
import { attention } from "./attention.ts"
import type { DistillationLoss } from "./DistillationLoss.ts"
import { embedding } from "./embedding.ts"
import { hidden } from "./hidden.ts"
import { kl } from "./kl.ts"
import { maskedLm } from "./maskedLm.ts"
import { Reduce } from "./overLayers.ts"
import { scale } from "./scale.ts"
import { sum } from "./sum.ts"

const weight = Options.withDefault(Options.Weight, 1)
const HomoDistil = Schema.Struct({
  mlm: weight,
  kl: weight,
  hidden: weight,
  embedding: weight,
  attention: weight,
  temperature: Options.withDefault(Options.Positive, 1),
  scale: Options.withDefault(Schema.Literals(["raw", "teacherVariance"]), "teacherVariance"),
  reduce: Reduce
})

/**
 * The weights of the five terms (α₁ … α₄ are those of `kl`, `hidden`, `embedding` and `attention`; 1 unless given), and the options
 * of the terms: the defaults are the micro setting, `{ scale: "raw", reduce: "sum" }` the paper's. `scale` and `reduce` are open to a scale's
 * setting unless given (`Loss.inSetting`).
 */
export type HomoDistilOptions = typeof HomoDistil.Encoded

/**
 * HomoDistil's total loss: L_MLM + α₁ KL + α₂ L_hidden + α₃ L_embedding + α₄ L_attention (paper, §2).
 *
 * A term of weight 0 is left out, with what it would need exposed. Throws `ConfigError` with every illegal option at once.
 *
 * @example
 * ```ts
 * import * as Loss from "homodistil/loss"
 * assert.deepEqual(Loss.homoDistil().terms, ["mlm", "kl", "hidden", "embedding", "attention"])
 * assert.deepEqual(Loss.homoDistil({ hidden: 0, embedding: 0, attention: 0 }).taps, ["logits"])
 * ```
 */
export const homoDistil = (options: HomoDistilOptions = {}): DistillationLoss => {
  const o = Options.decode("homoDistil", HomoDistil, options)
  // what is left open stays open in the terms
  const layers = options.reduce === undefined ? {} : { reduce: o.reduce }
  const entries = options.scale === undefined ? layers : { ...layers, scale: o.scale }
  const weighted: ReadonlyArray<readonly [number, DistillationLoss]> = [
    [o.mlm, maskedLm()],
    [o.kl, kl({ temperature: o.temperature })],
    [o.hidden, hidden(layers)],
    [o.embedding, embedding()],
    [o.attention, attention(entries)]
  ]
  const present = weighted.flatMap(([w, loss]) => (w === 0 ? [] : [w === 1 ? loss : scale(w, loss)]))
  if (present.length === 0)
    throw new ConfigError({
      problems: [
        {
          key: "homoDistil",
          value: "0 for every weight",
          bound: "a loss of at least one term",
          remedy: "leave out { mlm: 0 }"
        }
      ]
    })
  return sum(...present)
}
