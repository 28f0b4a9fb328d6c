import * as Layer from "effect/Layer"
import * as Scorer from "../importance/index.ts"
import * as Loss from "../loss/index.ts"
import { adamW, OptimizerService } from "../optimizer/index.ts"
import { Granularity, Ranking, RemainingRatio } from "../pruning/index.ts"
import type { DistillServices } from "./DistillPlan.ts"
import * as LearningRate from "./LearningRate.ts"
import * as Projection from "./Projection.ts"
import * as PruningMode from "./PruningMode.ts"
import * as StudentInit from "./StudentInit.ts"
import * as Training from "./Training.ts"

export { type MethodProperties, properties } from "./MethodProperties.ts"

/** A bundle of layers that provides every service a distillation needs; replacing one of them is an ablation. */
export type Method = Layer.Layer<DistillServices>

/** What is commonly varied about any method; everything else is varied by providing another layer. */
export interface MethodOptions {
  /** The share of the teacher that remains at the end, in (0, 1]: of every axis; of layers or weights where a method says so. */
  readonly ratio?: number
  readonly training?: Training.TrainingOptions
}

/** What is commonly varied about HomoDistil. */
export interface HomoDistilOptions extends MethodOptions {
  /** How scores of weights become scores of units; by all weights that go with a unit unless given. */
  readonly granularity?: Granularity.Granularity
}

/**
 * The share of a micro run after which pruning ends (t_f of paper, §4). The later it ends, the less of a falling learning rate is left for
 * the final student; at the paper's .7 one-shot pruning ends closer to the teacher (`experiments/oneShot.ts`).
 */
const microEnd = 0.3

/**
 * HomoDistil (paper, §1-§6) in the micro setting: the student starts as its teacher and is pruned along a cubic schedule by
 * PLATON's score while it is distilled with all five loss terms.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.homoDistil())))
 * assert.deepEqual([plan.scorer.spec.name, plan.student.spec.name], ["platon", "fromTeacher"])
 * ```
 */
export const homoDistil = (options: HomoDistilOptions = {}): Method =>
  Layer.mergeAll(
    Loss.layer(Loss.homoDistil()),
    Scorer.layer(Scorer.platon()),
    RemainingRatio.layer(RemainingRatio.cubic({ final: options.ratio ?? 0.25, end: microEnd })),
    Granularity.layer(options.granularity ?? Granularity.users()),
    Ranking.layer(Ranking.local()),
    Layer.succeed(OptimizerService, OptimizerService.of(adamW())),
    LearningRate.layer(LearningRate.micro),
    StudentInit.layer(StudentInit.fromTeacher),
    Projection.layer(Projection.make()),
    PruningMode.layer(PruningMode.hard),
    Training.layer(Training.make(options.training))
  )

/** The loss of HomoDistil on a student that starts with random weights at its final size: what Fig. 3 compares with. */
export const randomStudent = (options: HomoDistilOptions = {}): Method =>
  Layer.mergeAll(homoDistil(options), StudentInit.layer(StudentInit.random))

/**
 * What is commonly varied about TinyBERT. Unless given, attention's errors are scaled as those of HomoDistil, in the setting of the scale
 * (`Loss.Setting`), so that the two differ in their methods alone, and layers are summed as TinyBERT does; its own scale is `raw`.
 */
export interface TinyBertOptions extends MethodOptions, Loss.AttentionOptions {}

/**
 * TinyBERT's general distillation (Jiao et al. 2020, §3; paper, §7): a random student at its final size learns the teacher's attention
 * scores, hidden states and embedding output, through one map that all layers share and that starts at random. Neither its predictions
 * nor its masked-language-model head are trained.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * const { loss, projection } = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.tinyBert())))
 * assert.deepEqual([loss.terms, projection.shared], [["attention", "hidden", "embedding"], true])
 * ```
 */
export const tinyBert = ({ scale, reduce = "sum", ...options }: TinyBertOptions = {}): Method =>
  Layer.mergeAll(
    randomStudent(options),
    Loss.layer(
      Loss.sum(
        Loss.attention(scale === undefined ? { reduce } : { scale, reduce }),
        Loss.hidden({ reduce }),
        Loss.embedding()
      )
    ),
    Projection.layer(Projection.make({ start: "random", shared: true }))
  )

/**
 * MiniLM (Wang et al. 2020, §3; paper, §7): a random student at its final size learns the attention distributions and the value
 * relations of the teacher's last layer. Nothing else is compared, so there are no projections and the predictions are not trained.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * const { loss } = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.miniLm({ ratio: 0.5 }))))
 * assert.deepEqual(loss.terms, ["attentionDistribution", "valueRelation"])
 * ```
 */
export const miniLm = (options: MethodOptions = {}): Method =>
  Layer.mergeAll(
    randomStudent(options),
    Loss.layer(Loss.sum(Loss.attentionDistribution(), Loss.valueRelation())),
    Projection.layer(Projection.none)
  )

/** What is commonly varied about DistilBERT: the weights of its terms, 1 each, and the temperature of its KL, 1 unless given. */
export interface DistilBertOptions extends MethodOptions, Loss.KlOptions {
  readonly weights?: { readonly kl?: number; readonly mlm?: number; readonly cosine?: number }
}

/**
 * DistilBERT (Sanh et al. 2019, §3; paper, §7): a copy of every other layer of the teacher, at the teacher's widths, learns its
 * predictions, the masked tokens and the direction of its last hidden states. The remaining ratio is that of the layers, ½ unless given.
 *
 * Throws `ConfigError` when a weight is below 0 or the temperature not positive.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * const { loss, student } = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.distilBert())))
 * assert.deepEqual([loss.terms, student.spec.name], [["kl", "mlm", "cosine"], "everyOther"])
 * ```
 */
export const distilBert = ({ weights = {}, temperature = 1, ratio = 0.5, ...rest }: DistilBertOptions = {}): Method => {
  const { kl = 1, mlm = 1, cosine = 1 } = weights
  return Layer.mergeAll(
    homoDistil({ ...rest, ratio }),
    Loss.layer(
      Loss.sum(
        Loss.scale(kl, Loss.kl({ temperature })),
        Loss.scale(mlm, Loss.maskedLm()),
        Loss.scale(cosine, Loss.cosine())
      )
    ),
    StudentInit.layer(StudentInit.everyOther),
    Projection.layer(Projection.none)
  )
}

/**
 * The teacher itself, untouched: what students are measured against. Nothing is trained and nothing pruned, at any scale.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.teacher())))
 * assert.deepEqual([plan.training.steps, plan.student.spec.name, Method.properties(plan).pruning], [0, "fromTeacher", "none"])
 * ```
 */
export const teacher = (): Method =>
  Layer.mergeAll(noTeacher(), RemainingRatio.layer(RemainingRatio.constant()), Training.layer(Training.none()))

/** A window longer than any warm-up: scores are the mean of all steps since the start. */
const sinceTheStart = { window: 1_000_000 }

/** What is commonly varied about one-shot pruning. */
export interface OneShotOptions extends HomoDistilOptions {
  /** The share of the run in which scores gather before everything is pruned at once, in [0, 1); 0, one step, unless given. */
  readonly warmup?: number
}

/**
 * One-shot pruning, then distillation (paper, §7): after one step, or a warm-up, the student is cut to its final size at once by its mean
 * sensitivity over all steps until then, and is distilled for what is left of as many steps as HomoDistil takes. A warm-up at the teacher's
 * size costs more steps than its scores gain.
 *
 * Throws `ConfigError` when the warm-up is outside [0, 1) or leaves no step.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * const { ratio } = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.oneShot({ ratio: 0.5 }))))
 * assert.deepEqual([0, 1].map(ratio.over(400).at), [1, 0.5])
 * ```
 */
export const oneShot = ({ warmup = 0, ...options }: OneShotOptions = {}): Method => {
  const atOnce = RemainingRatio.oneShot({ final: options.ratio ?? 0.25 })
  return Layer.mergeAll(
    homoDistil(options),
    Scorer.layer(Scorer.sensitivity(sinceTheStart)),
    RemainingRatio.layer(warmup === 0 ? atOnce : RemainingRatio.delay(warmup, atOnce))
  )
}

/**
 * HomoDistil's pruning without a teacher (paper, §7; Table 5): the masked-language-model loss alone.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * const { loss } = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.noTeacher())))
 * assert.deepEqual(loss.terms, ["mlm"])
 * ```
 */
export const noTeacher = (options: HomoDistilOptions = {}): Method =>
  Layer.mergeAll(homoDistil(options), Loss.layer(Loss.maskedLm()), Projection.layer(Projection.none))

/**
 * PLATON as it was published (Zhang et al. 2022; paper, §3 and §7): single weights of all matrices are ranked together and zeroed, and
 * may come back, along the same cubic schedule; the masked-language-model loss alone. The remaining ratio is that of the weights.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.platonUnstructured())))
 * assert.equal(Method.properties(plan).granularity, "single weights")
 * ```
 */
export const platonUnstructured = (options: MethodOptions = {}): Method =>
  Layer.mergeAll(noTeacher(options), PruningMode.layer(PruningMode.unstructured))

/**
 * Every method by its name, for tables of them.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * const rows = Object.values(Method.all).map((method) =>
 *   Method.properties(Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(method({ ratio: 0.5 })))))
 * )
 * assert.equal(rows.filter(({ pruning }) => pruning === "iterative").length, 3)
 * ```
 */
export const all = {
  homoDistil,
  tinyBert,
  miniLm,
  distilBert,
  randomStudent,
  oneShot,
  noTeacher,
  platonUnstructured
} as const satisfies { readonly [name: string]: (options?: MethodOptions) => Method }
