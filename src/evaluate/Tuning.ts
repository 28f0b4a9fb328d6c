import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  Backend,
  type CompileError,
  type ExecutionError,
  type InputsOf,
  type Tensor,
  type TensorSpec,
  type TensorsOf,
  type tf,
  transfer
} from "../backend/index.ts"
import { type BertConfig, Dropout, Flops, type Model, type ParameterTensors } from "../model/index.ts"
import { adamW, type Optimizer, TrainStep } from "../optimizer/index.ts"
import { Schedule } from "../schedule/index.ts"
import { Seed } from "../spec/index.ts"
import { NotFinite } from "./NotFinite.ts"
import * as TunedModel from "./TunedModel.ts"

/**
 * The examples of each step, `rows` of `count`: those of each pass over them in an order of its own.
 *
 * @example
 * ```ts
 * import { Tuning } from "homodistil/evaluate"
 * import { Seed } from "homodistil/spec"
 * const order = Tuning.exampleOrder(4, 2, Seed.make(0))
 * assert.deepEqual([...order(0), ...order(1)].sort(), [0, 1, 2, 3])
 * ```
 */
export const exampleOrder = (
  count: number,
  rows: number,
  seed: Seed.Seed
): ((step: number) => ReadonlyArray<number>) => {
  const passes = new Map<number, Int32Array>()
  const order = (pass: number): Int32Array => {
    const known = passes.get(pass)
    if (known !== undefined) return known
    const made = Seed.permutation(Seed.child(seed, "order", pass), count)
    passes.set(pass, made)
    return made
  }
  return (step) =>
    Array.from({ length: rows }, (_, i) => {
      const n = step * rows + i
      return order(Math.floor(n / count))[n % count] ?? 0
    })
}

/** How long a model is fine-tuned, and at what rate; batches of `rows` examples. */
export interface TuningOptions {
  readonly rows: number
  readonly steps: number
  readonly learningRate: number
  readonly warmup: number
  readonly weightDecay: number
  readonly hiddenDropout: number
  readonly attentionDropout: number
}

/**
 * Floating-point operations of matrix products of a fine-tuning: its steps, and a forward pass over the `test` examples; those of the head,
 * which is small, are not counted.
 *
 * @example
 * ```ts
 * import { Tuning } from "homodistil/evaluate"
 * import { BertConfig } from "homodistil/model"
 * // a step costs three forward passes
 * const of = (steps: number, test: number) => Tuning.flops({ steps, rows: 16, test, length: 32 }, BertConfig.micro)
 * assert.equal(of(10, 0), of(0, 480))
 * ```
 */
export const flops = (
  {
    steps,
    rows,
    test,
    length
  }: Pick<TuningOptions, "steps" | "rows"> & { readonly test: number; readonly length: number },
  config: BertConfig.BertConfig
): number =>
  steps * Flops.trainingStep(config, { rows, length, masked: 0 }) +
  Flops.forward(config, { rows: test, length, masked: 0 })

/** A fine-tuning: the model and its head, and what a step's text is given. */
export interface TuningInput<I> {
  readonly name: string
  /** Not masked: what is silent has been cut. */
  readonly model: Model.Model
  /** Outputs of the head, whose start the seed decides. */
  readonly outputs: number
  readonly seed: Seed.Seed
  readonly options: TuningOptions
  readonly inputs: I
  readonly loss: (params: ParameterTensors, inputs: TensorsOf<I>) => tf.Tensor
  /** Puts a step's inputs on the device, where they are released after it. */
  readonly inputsAt: (step: number) => Effect.Effect<InputsOf<I>>
}

/** Fine-tunes all weights of a copy of a model's encoder, and a head. Fails with `NotFinite` when the loss does. */
export const train = <const I extends Tensor.Tree<TensorSpec>>({
  name,
  model,
  outputs,
  seed,
  options,
  inputs,
  loss,
  inputsAt
}: TuningInput<I>): Effect.Effect<
  { readonly params: TunedModel.TunedParameters; readonly loss: number },
  CompileError | ExecutionError | NotFinite,
  Backend | Scope.Scope
> =>
  Effect.gen(function* () {
    const params = TunedModel.start(model, outputs, seed)
    const masks = TunedModel.kept(model)
    const optimizer = adamW({ beta2: 0.999, weightDecay: options.weightDecay })
    const step = yield* TrainStep.compile({
      name,
      params: TunedModel.signature(params),
      inputs,
      optimizer,
      view: TunedModel.view(masks),
      loss: (seen, given) => ({ total: loss(seen, given), terms: {} })
    })
    return yield* run(() => Effect.succeed(step), { ...options, name, params, kept: masks, optimizer, inputsAt })
  })

/** The dropout of a fine-tuning on rows of `length`: its rates, its draws' signature, and the draws of a step. */
export const dropout = (
  { config }: Model.Model,
  { rows, hiddenDropout, attentionDropout }: Pick<TuningOptions, "rows" | "hiddenDropout" | "attentionDropout">,
  length: number,
  seed: Seed.Seed
) => {
  const rates = { hidden: hiddenDropout, attention: attentionDropout }
  return {
    rates,
    signature: Dropout.signature(config, rates, rows, length),
    at: (step: number) => Dropout.draw(config, rates, rows, length, Seed.child(seed, "dropout", step))
  }
}

/** How a fine-tuning stands after a step. */
export interface Taken<I> {
  /** Steps taken. */
  readonly steps: number
  readonly loss: number
  readonly learningRate: number
  readonly state: TrainStep.LiveState
  readonly step: TrainStep.TrainStep<I>
}

/**
 * Takes all steps of a fine-tuning, under a rate that rises to `learningRate` in the share `warmup` of them and falls to 0;
 * gives the parameters and the loss of the last step.
 *
 * `stepAt` gives the compiled step for the shape of a step's inputs; all are of the same parameters. `inputsAt` puts a step's inputs on
 * the device, where they are released after it. `goOn` looks on after each step, and may end it all. Fails with `NotFinite` when the
 * loss is not finite.
 */
export const run = <I, E = never>(
  stepAt: (step: number) => Effect.Effect<TrainStep.TrainStep<I>, CompileError, Backend | Scope.Scope>,
  options: {
    readonly name: string
    readonly params: TunedModel.TunedParameters
    /** What stays at zero, as the step's `view` has it. */
    readonly kept: TunedModel.Kept
    readonly optimizer: Optimizer
    readonly steps: number
    readonly learningRate: number
    readonly warmup: number
    readonly inputsAt: (step: number) => Effect.Effect<InputsOf<I>>
    readonly goOn?: (taken: Taken<I>) => Effect.Effect<boolean, E, Backend | Scope.Scope>
  }
): Effect.Effect<
  { readonly params: TunedModel.TunedParameters; readonly loss: number },
  CompileError | ExecutionError | NotFinite | E,
  Backend | Scope.Scope
> =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const { goOn = () => Effect.succeed(true) } = options
    const rate = Schedule.linearDecayWithWarmup({
      peak: options.learningRate,
      steps: options.steps,
      warmup: options.warmup
    })
    let step = yield* stepAt(0)
    let state: TrainStep.LiveState = yield* step.enter(TrainStep.start(options.params, options.optimizer))
    yield* Effect.addFinalizer(() => transfer.release(backend, state))
    let loss = Number.NaN
    for (let t = 0; t < options.steps; t++) {
      step = yield* stepAt(t)
      const inputs = yield* options.inputsAt(t)
      const learningRate = rate.at(t)
      const out = yield* step.run(state, inputs, { step: t, learningRate })
      state = out.state
      loss = out.total
      yield* transfer.release(backend, inputs)
      if (!Number.isFinite(loss)) return yield* new NotFinite({ measure: options.name, step: t, value: String(loss) })
      if (!(yield* goOn({ steps: t + 1, loss, learningRate, state, step }))) break
    }
    const { params } = yield* step.leave(state)
    return { params: TunedModel.restored(params, options.kept), loss }
  })
