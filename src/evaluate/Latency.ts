import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Backend, type CompileError, type ExecutionError, transfer } from "../backend/index.ts"
import { Bert, Model, Tokens } from "../model/index.ts"
import * as CutModel from "./CutModel.ts"

/** What is timed: `rows` sequences of `length` pieces at once, at least `rounds` times and for about `seconds`. */
export interface LatencyOptions {
  readonly rows?: number
  readonly length?: number
  readonly rounds?: number
  readonly seconds?: number
}

const median = (values: ReadonlyArray<number>): number => {
  const ordered = values.toSorted((a, b) => a - b)
  const middle = (ordered.length - 1) / 2
  return ((ordered[Math.floor(middle)] ?? Number.NaN) + (ordered[Math.ceil(middle)] ?? Number.NaN)) / 2
}

/**
 * Milliseconds that each model takes to encode a batch on the backend that is provided: the median of runs that take turns, so that a busy
 * moment of the machine falls on all of them; units that are masked are cut first.
 *
 * The time of compiling and of the first run is not counted. A batch is one sequence of 128 pieces unless said, shorter where the model is. Fails
 * as compiling and running do.
 *
 * @example
 * ```ts
 * import { OnnxBackend } from "homodistil/backend"
 * import { Latency } from "homodistil/evaluate"
 * import { BertConfig, Parameters } from "homodistil/model"
 * import { Seed } from "homodistil/spec"
 * import * as Effect from "effect/Effect"
 * const config = BertConfig.uniform({ vocabSize: 8, positions: 4, layers: 1, heads: 1, hidden: 4, ffn: 4 })
 * const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0))
 * const timed = Latency.measure([{ config, parameters }], { rounds: 3, seconds: 0 })
 * const [milliseconds = 0] = await Effect.runPromise(timed.pipe(Effect.provide(OnnxBackend.layer({ threads: 1 }))))
 * assert.ok(milliseconds > 0)
 * ```
 */
export const measure = (
  models: ReadonlyArray<Model.Model>,
  { rows = 1, length = 128, rounds = 9, seconds = 1 }: LatencyOptions = {}
): Effect.Effect<ReadonlyArray<number>, CompileError | ExecutionError, Backend> =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const encoders = yield* Effect.forEach(models, (given) => encoder(backend, CutModel.of(given), rows, length))
      yield* Effect.forEach(encoders, (once) => once)
      const times: ReadonlyArray<Array<number>> = encoders.map(() => [])
      const began = yield* Clock.currentTimeNanos
      const enough = Effect.map(Clock.currentTimeNanos, (now) => Number(now - began) / 1e9 >= seconds)
      // a clock that stands still, as in tests, must not keep it here
      for (let round = 0; round < rounds || (round < 100 * rounds && !(yield* enough)); round++)
        for (const [i, once] of encoders.entries()) times[i]?.push(yield* once)
      return times.map(median)
    })
  )

/** A run of a model's encoder, which gives its milliseconds; the weights live as long as the scope. */
const encoder = (backend: Backend["Service"], model: Model.Model, rows: number, length: number) =>
  Effect.gen(function* () {
    const { config } = model
    const columns = Math.min(length, config.positions)
    const ids = Int32Array.from({ length: rows * columns }, (_, i) => (i * 7919) % config.vocabSize)
    const tokens: Tokens.Tokens = { rows, length: columns, ids }
    const compiled = yield* backend.compile(
      "latency",
      { model: Model.signature(model), tokens: Tokens.signature(tokens) },
      (x) => ({ states: Bert.last(Bert.encode(x.model.parameters, config, Tokens.tensors(tokens, x.tokens))) })
    )
    const inputs = yield* transfer.upload(backend, { model: Model.inputs(model), tokens: Tokens.inputs(tokens) })
    yield* Effect.addFinalizer(() => transfer.release(backend, inputs))
    return Effect.gen(function* () {
      const began = yield* Clock.currentTimeNanos
      const out = yield* compiled.run(inputs)
      const ended = yield* Clock.currentTimeNanos
      yield* transfer.release(backend, out)
      return Number(ended - began) / 1e6
    })
  })
