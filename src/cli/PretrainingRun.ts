import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { HuggingFace } from "../checkpoint/index.ts"
import type { Dataset, Tokenizer } from "../data/index.ts"
import { Pretraining } from "../distill/index.ts"
import { HeldOut } from "../evaluate/index.ts"
import type { Model, Pooler } from "../model/index.ts"
import * as Progress from "./Progress.ts"
import * as Provenance from "./Provenance.ts"
import { Screen } from "./Screen.ts"
import { type ProvidedBackend, Setup } from "./Setup.ts"
import * as Words from "./Words.ts"

/** A pre-training, what it is measured on, and where the model goes. */
export interface PretrainingRun {
  readonly pretraining: Pretraining.PretrainingOptions
  readonly test: HeldOut.Reference
  readonly dataset: Dataset
  readonly tokenizer: Tokenizer
  readonly tokenizerFiles: HuggingFace.TokenizerFiles
  /** The pooler of an encoder that stays as it is. */
  readonly pooler?: Pooler.Pooler
  readonly backend: ProvidedBackend
  readonly out: string
  /** The command line that makes the model again, and its seed. */
  readonly command: string
  readonly seed: number
  /** When the command was started, milliseconds of the clock. */
  readonly started: number
  readonly quiet: boolean
}

/** Trains, measures the model on held-out rows at every snapshot, and writes the last one as a Hugging Face directory with its provenance. */
export const run = (o: PretrainingRun) =>
  Effect.gen(function* () {
    const { pretraining, test, dataset, tokenizer, tokenizerFiles, pooler, backend, out } = o
    const screen = yield* Screen
    const { versions } = yield* Setup
    const finish = (model: Model.Model, heldOut: HeldOut.HeldOutMeasures) =>
      Effect.gen(function* () {
        const seconds = ((yield* Clock.currentTimeMillis) - o.started) / 1000
        const { command, seed } = o
        const origin = { command, seed, dataset, tokenizer, heldOut, backend: backend.spec, versions, seconds }
        const provenance = Provenance.ofTeacher(origin, pretraining)
        const whole = { ...model, ...(pooler === undefined ? {} : { pooler }) }
        yield* HuggingFace.write(out, { ...whole, tokenizerFiles, provenance })
        const reached = `held-out loss ${heldOut.loss.toFixed(3)}, accuracy ${(100 * heldOut.accuracy).toFixed(1)} %`
        yield* screen.out(`${out}: ${reached}, in ${Words.duration(seconds)}\n`)
      })
    yield* Effect.gen(function* () {
      const emit = yield* Progress.pretraining(pretraining.steps, o.quiet)
      const { from, config } = pretraining
      if (from !== undefined) {
        const { parameters } = from
        yield* emit({ _tag: "HeldOut", step: 0, measures: yield* HeldOut.measure({ config, parameters }, test) })
      }
      yield* Pretraining.pretrain(pretraining).pipe(
        Stream.runForEach((event) =>
          Effect.gen(function* () {
            yield* emit(event)
            if (event._tag === "Step") return
            const measures = yield* HeldOut.measure(event.model, test)
            yield* emit({ _tag: "HeldOut", step: event.step, measures })
            if (event.last) yield* finish(event.model, measures)
          })
        )
      )
    }).pipe(Effect.scoped, Effect.provide(backend.layer))
  })
