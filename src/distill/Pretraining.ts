import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Backend, type CompileError, type ExecutionError, ops, Tensor, tf, transfer } from "../backend/index.ts"
import type { MaskedBatch } from "../data/index.ts"
import { Bert, BertConfig, Dropout, type Model, Parameters, type ParameterValues, Tokens } from "../model/index.ts"
import { type Optimizer, TrainStep } from "../optimizer/index.ts"
import type { Schedule } from "../schedule/index.ts"
import { type Digest, Seed, Spec } from "../spec/index.ts"
import { Diverged } from "./Diverged.ts"

/** What a teacher's pre-training is made of. */
export interface PretrainingOptions {
  readonly config: BertConfig.BertConfig
  readonly steps: number
  /** Share of the steps that train a causal language model first: every position gives a signal, so the model leaves the unigram plateau. */
  readonly causalShare: number
  readonly dropout: Dropout.DropoutRates
  readonly optimizer: Optimizer
  readonly learningRate: Schedule.Schedule
  readonly positions: Parameters.PositionStart
  /** The weights it starts from, of this configuration, and their digest; random ones unless given. */
  readonly from?: { readonly parameters: ParameterValues; readonly digest: Digest.Digest }
  /** What stays as it is, so that only the head is trained; nothing unless given. */
  readonly frozen?: "encoder"
  readonly seed: Seed.Seed
  /** The batch of a step in either phase, from the run's seed. */
  readonly batches: {
    readonly spec: Spec.Spec
    readonly masked: (seed: Seed.Seed, step: number) => MaskedBatch
    readonly causal: (seed: Seed.Seed, step: number) => MaskedBatch
  }
  /** Steps between two snapshots of the model for evaluation; the last step always gives one. */
  readonly every: number
}

/** What happens while a teacher is pre-trained. */
export type PretrainingEvent =
  | { readonly _tag: "Step"; readonly step: number; readonly phase: "causal" | "masked"; readonly loss: number }
  | { readonly _tag: "Snapshot"; readonly step: number; readonly model: Model.Model; readonly last: boolean }

/** The description of a pre-training: everything that shapes its result. */
export const spec = (o: PretrainingOptions): Spec.Spec =>
  Spec.make("pretraining", {
    options: {
      config: { ...o.config },
      steps: o.steps,
      causalShare: o.causalShare,
      dropout: { ...o.dropout },
      positions: o.positions,
      seed: o.seed.path,
      ...(o.from === undefined ? {} : { from: o.from.digest }),
      ...(o.frozen === undefined ? {} : { frozen: o.frozen })
    },
    parts: [o.optimizer.spec, o.learningRate.spec, o.batches.spec]
  })

/** The parameters in two: those that are trained, and those that stay. */
const divided = <A>(o: PretrainingOptions, all: { readonly [name: string]: A }) => {
  const trained = (name: string) => o.frozen === undefined || name.startsWith("cls.")
  const those = (kept: (name: string) => boolean) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => kept(name)))
  return { trained: those(trained), frozen: those((name) => !trained(name)) }
}

const inputsOf = (o: PretrainingOptions, batch: MaskedBatch, step: number) => ({
  tokens: Tokens.inputs(batch),
  positions: Tensor.of(batch.positions),
  labels: Tensor.of(batch.labels),
  dropout: Dropout.draw(o.config, o.dropout, batch.rows, batch.length, Seed.child(o.seed, "dropout", step))
})

const compile = (o: PretrainingOptions, batch: MaskedBatch, causal: boolean) => {
  const { trained, frozen } = divided(o, Parameters.signature(Parameters.bert(o.config), BertConfig.axes(o.config)))
  return TrainStep.compile({
    name: causal ? "causal pre-training step" : "masked pre-training step",
    params: trained,
    inputs: {
      frozen,
      tokens: Tokens.signature(batch),
      positions: Tensor.int(batch.positions.length),
      labels: Tensor.int(batch.labels.length),
      dropout: Dropout.signature(o.config, o.dropout, batch.rows, batch.length)
    },
    optimizer: o.optimizer,
    loss: (moving, x) => {
      const params = { ...x.frozen, ...moving }
      const options = { dropout: { rates: o.dropout, draws: x.dropout }, causal }
      const outputs = Bert.encode(params, o.config, Tokens.tensors(batch, x.tokens), options)
      const logits = Bert.maskedLmLogits(params, o.config, Bert.last(outputs), x.positions)
      return { total: tf.mean(ops.crossEntropy(logits, x.labels)), terms: {} }
    }
  })
}

interface State {
  readonly step: number
  readonly train: TrainStep.LiveState
}

/**
 * Pre-trains a BERT: a causal warm start, then masked language modelling, as a stream of events; from random weights, or from given ones,
 * all of them or the head alone.
 *
 * A plain masked run of this size stays on the unigram plateau; the warm start and sinusoidal positions take it off.
 */
export const pretrain = (
  o: PretrainingOptions
): Stream.Stream<PretrainingEvent, CompileError | ExecutionError | Diverged, Backend> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const backend = yield* Backend
      const causalSteps = Math.round(o.causalShare * o.steps)
      const causal = causalSteps > 0 ? yield* compile(o, o.batches.causal(o.seed, 0), true) : undefined
      const masked = yield* compile(o, o.batches.masked(o.seed, 0), false)
      const random = () =>
        Parameters.initialise(
          Parameters.bert(o.config),
          BertConfig.axes(o.config),
          Seed.child(o.seed, "initialise"),
          o.positions
        )
      const params = divided(o, o.from?.parameters ?? random())
      const started = yield* masked.enter(TrainStep.start(params.trained, o.optimizer))
      let live: TrainStep.LiveState = started
      yield* Effect.addFinalizer(() => transfer.release(backend, live))
      const frozen = yield* transfer.upload(backend, params.frozen)
      yield* Effect.addFinalizer(() => transfer.release(backend, frozen))

      const advance = ({ step, train }: State) =>
        Effect.gen(function* () {
          const isCausal = causal !== undefined && step < causalSteps
          const batch = isCausal ? o.batches.causal(o.seed, step) : o.batches.masked(o.seed, step)
          const inputs = yield* transfer.upload(backend, inputsOf(o, batch, step))
          const text = isCausal ? causal : masked
          const at = { step, learningRate: o.learningRate.at(step) }
          const { state, total } = yield* text.run(train, { ...inputs, frozen }, at)
          live = state
          yield* transfer.release(backend, inputs)
          if (!Number.isFinite(total)) return yield* new Diverged({ step, loss: String(total) })
          const events: Array<PretrainingEvent> = [
            { _tag: "Step", step, phase: isCausal ? "causal" : "masked", loss: total }
          ]
          const last = step + 1 === o.steps
          if (last || (step + 1) % o.every === 0) {
            const { params: values } = yield* text.leave(state)
            const parameters = { ...params.frozen, ...values }
            events.push({ _tag: "Snapshot", step: step + 1, model: { config: o.config, parameters }, last })
          }
          const next: State = { step: step + 1, train: state }
          return [events, last ? Option.none<State>() : Option.some(next)] as const
        })
      return Stream.paginate<State, PretrainingEvent, CompileError | ExecutionError | Diverged>(
        { step: 0, train: started },
        advance
      )
    })
  )
