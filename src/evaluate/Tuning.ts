import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  Backend,
  type CompileError,
  type ExecutionError,
  type HostTensor,
  type InputsOf,
  ops,
  Tensor,
  type TensorSpec,
  type TensorsOf,
  tf,
  transfer
} from "../backend/index.ts"
import { Bert, Dropout, type Model, type ParameterTensors } from "../model/index.ts"
import { adamW, type Optimizer, TrainStep } from "../optimizer/index.ts"
import { Schedule } from "../schedule/index.ts"
import { Seed } from "../spec/index.ts"
import { NotFinite } from "./NotFinite.ts"

const headWeight = "classifier.weight"
const headBias = "classifier.bias"

/** Parameters by their names. */
export type TunedParameters = { readonly [name: string]: HostTensor }

/**
 * The parameters that are fine-tuned: the encoder's and those of a linear head with so many outputs, its weights drawn with
 * deviation 0.02; those of the masked-language-model head rest.
 */
export const start = (model: Model.Model, outputs: number, seed: Seed.Seed): TunedParameters => {
  const { hidden } = model.config
  const draws = Seed.normals(Seed.child(seed, headWeight), outputs * hidden)
  return {
    ...Object.fromEntries(Object.entries(model.parameters).filter(([name]) => !name.startsWith("cls."))),
    [headWeight]: Tensor.host(
      draws.map((z) => 0.02 * z),
      [outputs, hidden]
    ),
    [headBias]: Tensor.host(new Float32Array(outputs))
  }
}

/** By parameter, 1 for the weights that a sparse model keeps; nothing for a dense one. */
export type Kept = { readonly [name: string]: HostTensor }

/** What fine-tuning must leave at zero: the zeros of a sparse model's matrices. */
export const kept = ({ sparse, parameters }: Model.Model): Kept =>
  sparse === true
    ? Object.fromEntries(
        Object.entries(parameters).flatMap(([name, { shape, data }]) =>
          shape.length > 1 && data.includes(0)
            ? [
                [
                  name,
                  Tensor.host(
                    Float32Array.from(data, (weight) => (weight === 0 ? 0 : 1)),
                    shape
                  )
                ]
              ]
            : []
        )
      )
    : {}

/** What a step sees of a parameter: without the weights that are not kept. */
export const view =
  (masks: Kept) =>
  (name: string, param: tf.Tensor): tf.Tensor => {
    const mask = masks[name]
    return mask === undefined ? param : tf.mul(param, tf.tensor(mask.data, [...mask.shape]))
  }

/** Parameters as `view` shows them. */
const restored = (params: TunedParameters, masks: Kept): TunedParameters =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => {
      const mask = masks[name]
      return [
        name,
        mask === undefined ? value : { ...value, data: value.data.map((w, i) => (mask.data[i] === 0 ? 0 : w)) }
      ]
    })
  )

/** The signature of parameters. */
export const signature = (params: TunedParameters): { readonly [name: string]: TensorSpec } =>
  Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, Tensor.float(...shape)]))

/** The head's outputs for hidden states: [n, hidden] becomes [n, outputs]. */
export const head = (params: ParameterTensors, states: tf.Tensor): tf.Tensor =>
  ops.linear(states, Bert.parameter(params, headWeight), Bert.parameter(params, headBias))

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
  { readonly params: TunedParameters; readonly loss: number },
  CompileError | ExecutionError | NotFinite,
  Backend | Scope.Scope
> =>
  Effect.gen(function* () {
    const params = start(model, outputs, seed)
    const masks = kept(model)
    const optimizer = adamW({ beta2: 0.999, weightDecay: options.weightDecay })
    const step = yield* TrainStep.compile({
      name,
      params: signature(params),
      inputs,
      optimizer,
      view: view(masks),
      loss: (seen, given) => ({ total: loss(seen, given), terms: {} })
    })
    return yield* run(step, { ...options, name, params, kept: masks, optimizer, inputsAt })
  })

/** The dropout of a fine-tuning on rows of `length`: its rates, its draws' signature, and the draws of a step. */
export const dropout = (
  { config }: Model.Model,
  { rows, hiddenDropout, attentionDropout }: TuningOptions,
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

/**
 * Takes all steps of a fine-tuning, under a rate that rises to `learningRate` in the share `warmup` of them and falls to 0;
 * gives the parameters and the loss of the last step.
 *
 * `inputsAt` puts a step's inputs on the device, where they are released after it. Fails with `NotFinite` when the loss does.
 */
export const run = <I>(
  step: TrainStep.TrainStep<I>,
  options: {
    readonly name: string
    readonly params: TunedParameters
    /** What stays at zero, as the step's `view` has it. */
    readonly kept: Kept
    readonly optimizer: Optimizer
    readonly steps: number
    readonly learningRate: number
    readonly warmup: number
    readonly inputsAt: (step: number) => Effect.Effect<InputsOf<I>>
  }
): Effect.Effect<
  { readonly params: TunedParameters; readonly loss: number },
  ExecutionError | NotFinite,
  Backend | Scope.Scope
> =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const rate = Schedule.linearDecayWithWarmup({
      peak: options.learningRate,
      steps: options.steps,
      warmup: options.warmup
    })
    let state: TrainStep.LiveState = yield* step.enter(TrainStep.start(options.params, options.optimizer))
    yield* Effect.addFinalizer(() => transfer.release(backend, state))
    let loss = Number.NaN
    for (let t = 0; t < options.steps; t++) {
      const inputs = yield* options.inputsAt(t)
      const out = yield* step.run(state, inputs, { step: t, learningRate: rate.at(t) })
      state = out.state
      loss = out.total
      yield* transfer.release(backend, inputs)
      if (!Number.isFinite(loss)) return yield* new NotFinite({ measure: options.name, step: t, value: String(loss) })
    }
    const { params } = yield* step.leave(state)
    return { params: restored(params, options.kept), loss }
  })
