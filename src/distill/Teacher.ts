import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  Backend,
  type CompileError,
  type DeviceTensor,
  type ExecutionError,
  Tensor,
  type TensorSpec,
  type tf,
  transfer
} from "../backend/index.ts"
import type { Tap, TappedOutputs } from "../loss/index.ts"
import { Bert, BertConfig, type Model, Parameters, type ParameterTensors, Tokens } from "../model/index.ts"

/** A forward pass reduced to what a loss taps, in the form compiled texts take. */
export type TapTree<T> = {
  readonly embedding: { readonly [key: string]: T }
  readonly hidden: { readonly [layer: string]: T }
  readonly scores: { readonly [layer: string]: T }
  readonly values: { readonly [layer: string]: T }
  readonly logits: { readonly [key: string]: T }
}

/** A batch as the teacher and the step's text see it. */
export interface BatchShape {
  readonly tokens: Tokens.Tokens
  /** Masked positions. */
  readonly masked: number
}

const perLayer = <T>(layers: number, of: (layer: number) => T): { readonly [layer: string]: T } =>
  Object.fromEntries(Array.from({ length: layers }, (_, i) => [String(i), of(i)]))

/** The outputs a loss taps, as a tree. */
export const tapped = (outputs: TappedOutputs, taps: ReadonlyArray<Tap>): TapTree<tf.Tensor> => ({
  embedding: taps.includes("embedding") ? { value: outputs.embedding } : {},
  hidden: taps.includes("hidden") ? Object.fromEntries(outputs.hidden.entries()) : {},
  scores: taps.includes("scores") ? Object.fromEntries(outputs.scores.entries()) : {},
  values: taps.includes("values") ? Object.fromEntries(outputs.values.entries()) : {},
  logits: taps.includes("logits") ? { value: outputs.logits } : {}
})

/** Of outputs that more may have been tapped of, those that these taps name. */
export const only = <T>(tree: TapTree<T>, taps: ReadonlyArray<Tap>): TapTree<T> => ({
  embedding: taps.includes("embedding") ? tree.embedding : {},
  hidden: taps.includes("hidden") ? tree.hidden : {},
  scores: taps.includes("scores") ? tree.scores : {},
  values: taps.includes("values") ? tree.values : {},
  logits: taps.includes("logits") ? tree.logits : {}
})

/** The signature of `tapped` for a model of this configuration. */
export const signature = (
  config: BertConfig.BertConfig,
  taps: ReadonlyArray<Tap>,
  { tokens, masked }: BatchShape
): TapTree<TensorSpec> => {
  const states = Tensor.float(tokens.rows * tokens.length, config.hidden)
  const scores = Tensor.float(tokens.rows, config.heads, tokens.length, tokens.length)
  const values = (layer: number) =>
    Tensor.float(tokens.rows, config.heads, tokens.length, (config.vo[layer] ?? 0) / config.heads)
  return {
    embedding: taps.includes("embedding") ? { value: states } : {},
    hidden: taps.includes("hidden") ? perLayer(config.layers, () => states) : {},
    scores: taps.includes("scores") ? perLayer(config.layers, () => scores) : {},
    values: taps.includes("values") ? perLayer(config.layers, values) : {},
    logits: taps.includes("logits") ? { value: Tensor.float(masked, config.vocabSize) } : {}
  }
}

/** A tree of taps as a loss reads it; reading a tap that was not asked for is a defect. */
export const outputs = (tree: TapTree<tf.Tensor>): TappedOutputs => {
  const only = (values: { readonly [key: string]: tf.Tensor }, tap: Tap): tf.Tensor => {
    const value = values["value"]
    if (value === undefined) throw new RangeError(`the loss reads the tap ${tap} without naming it among its taps`)
    return value
  }
  const list = (values: { readonly [layer: string]: tf.Tensor }): ReadonlyArray<tf.Tensor> =>
    Object.keys(values)
      .sort((a, b) => Number(a) - Number(b))
      .flatMap((layer) => values[layer] ?? [])
  return {
    get embedding() {
      return only(tree.embedding, "embedding")
    },
    get logits() {
      return only(tree.logits, "logits")
    },
    hidden: list(tree.hidden),
    scores: list(tree.scores),
    values: list(tree.values)
  }
}

/** The inputs of the teacher's forward pass. */
export type TeacherInputs<T> = { readonly tokens: Tokens.TokenTree<T>; readonly positions: T }

/** A compiled teacher: takes a batch and gives the outputs that the taps name, which the caller releases. */
export interface CompiledTeacher {
  readonly run: (inputs: TeacherInputs<DeviceTensor>) => Effect.Effect<TapTree<DeviceTensor>, ExecutionError>
}

/** A teacher that nobody listens to: it is not run, and gives nothing. */
export const silent: CompiledTeacher = {
  run: () => Effect.succeed({ embedding: {}, hidden: {}, scores: {}, values: {}, logits: {} })
}

/**
 * Compiles the teacher's forward pass in a session of its own, with its weights on the device for as long as the scope.
 *
 * Weights are inputs as they are for the student: constants would be folded and packed, which rounds differently, and a student that
 * equals its teacher would not have a loss of exactly zero. Adam turns gradients of that size into whole steps.
 */
export const compile = (
  teacher: Model.Model,
  taps: ReadonlyArray<Tap>,
  batch: BatchShape
): Effect.Effect<CompiledTeacher, CompileError, Backend | Scope.Scope> =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const { config } = teacher
    const weights = yield* Effect.acquireRelease(transfer.upload(backend, teacher.parameters), (live) =>
      transfer.release(backend, live)
    )
    const compiled = yield* backend.compile(
      "teacher forward",
      {
        weights: Parameters.signature(Parameters.bert(config), BertConfig.axes(config)),
        tokens: Tokens.signature(batch.tokens),
        positions: Tensor.int(batch.masked)
      },
      (x: TeacherInputs<tf.Tensor> & { readonly weights: ParameterTensors }) => {
        const made = Bert.encode(x.weights, config, Tokens.tensors(batch.tokens, x.tokens))
        return tapped(Bert.withLogits(x.weights, config, made, x.positions), taps)
      }
    )
    return { run: (inputs: TeacherInputs<DeviceTensor>) => compiled.run({ ...inputs, weights }) }
  })
