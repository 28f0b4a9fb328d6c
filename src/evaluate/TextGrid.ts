import * as Effect from "effect/Effect"
import type { Backend, CompileError, ExecutionError } from "../backend/index.ts"
import type { EncodedTask } from "../data/index.ts"
import type { Model } from "../model/index.ts"
import { type ConfigError, Seed } from "../spec/index.ts"
import type { NotFinite } from "./NotFinite.ts"
import * as TextFineTune from "./TextFineTune.ts"
import type { TunedParameters } from "./TunedModel.ts"

/** The settings that are tried, each with every seed. */
export interface TextGrid {
  readonly learningRates: ReadonlyArray<number>
  readonly epochs: ReadonlyArray<number>
  readonly seeds: ReadonlyArray<number>
}

/** One fine-tuning of a grid. */
export interface TextTrial {
  readonly learningRate: number
  readonly epochs: number
  readonly seed: number
}

/** A trial and its best evaluation; none where its loss was no number. */
export interface TextTrialResult extends TextTrial {
  readonly best: TextFineTune.TextEvaluation | undefined
}

/** What happens in a grid: trials one after another, and what happens in each. */
export type TextGridEvent =
  | { readonly _tag: "Trial"; readonly trial: TextTrial; readonly index: number; readonly trials: number }
  | TextFineTune.TextFineTuneEvent

/** What a grid found. */
export interface TextGridResult {
  readonly trials: ReadonlyArray<TextTrialResult>
  /** The setting with the highest mean score over the seeds: its trials. */
  readonly best: ReadonlyArray<TextTrialResult>
  /** The mean score of that setting, and the scores' deviation over the seeds; 0 for one seed. */
  readonly mean: number
  readonly deviation: number
  /** The parameters of that setting's best trial. */
  readonly parameters: TunedParameters
}

/** The rates and passes that BERT was tried with (Devlin et al. 2019, appendix A.3), one seed. */
export const usual: TextGrid = { learningRates: [5e-5, 3e-5, 2e-5], epochs: [3], seeds: [0] }

/**
 * The trials of a grid, those of a setting together.
 *
 * @example
 * ```ts
 * import { TextGrid } from "homodistil/evaluate"
 * assert.equal(TextGrid.trials({ learningRates: [1e-4, 5e-5], epochs: [2, 3], seeds: [0, 1, 2] }).length, 12)
 * ```
 */
export const trials = ({ learningRates, epochs, seeds }: TextGrid): ReadonlyArray<TextTrial> =>
  learningRates.flatMap((learningRate) =>
    epochs.flatMap((each) => seeds.map((seed) => ({ learningRate, epochs: each, seed })))
  )

const scoreOf = ({ best }: TextTrialResult): number => best?.score ?? Number.NEGATIVE_INFINITY

const meanOf = (results: ReadonlyArray<TextTrialResult>): number =>
  results.reduce((sum, result) => sum + scoreOf(result), 0) / results.length

/** The mean score of trials and its deviation (n - 1). */
const spreadOf = (results: ReadonlyArray<TextTrialResult>) => {
  const mean = meanOf(results)
  const squares = results.reduce((sum, result) => sum + (scoreOf(result) - mean) ** 2, 0)
  return { mean, deviation: results.length < 2 ? 0 : Math.sqrt(squares / (results.length - 1)) }
}

/**
 * Fine-tunes with every setting and seed of a grid; the setting with the highest mean score on the splits the task is judged on wins.
 *
 * A trial whose loss is no number counts as the worst; where every setting has one, the grid fails with its `NotFinite`. Parameters are
 * kept of the best setting alone.
 */
export const run = (
  encoded: EncodedTask,
  options: Partial<TextFineTune.TextFineTuneOptions>,
  grid: TextGrid,
  model: Model.Model,
  emit: (event: TextGridEvent) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<TextGridResult, CompileError | ExecutionError | NotFinite | ConfigError, Backend> =>
  Effect.gen(function* () {
    const all = trials(grid)
    const done: Array<TextTrialResult> = []
    let failure: NotFinite | undefined
    let winner: { readonly trials: ReadonlyArray<TextTrialResult>; readonly parameters: TunedParameters } | undefined
    for (const { learningRate, epochs } of trials({ ...grid, seeds: [0] })) {
      const tuning = TextFineTune.make(encoded, { ...options, learningRate, epochs })
      const results: Array<TextTrialResult> = []
      let top: { readonly score: number; readonly parameters: TunedParameters } | undefined
      for (const seed of grid.seeds) {
        const trial = { learningRate, epochs, seed }
        yield* emit({ _tag: "Trial", trial, index: done.length + results.length, trials: all.length })
        const found = yield* TextFineTune.run(tuning, model, Seed.make(seed), emit).pipe(
          Effect.catchTag("NotFinite", (error) => Effect.sync(() => void (failure = error)))
        )
        results.push({ ...trial, best: found?.best })
        if (found !== undefined && (top === undefined || found.best.score > top.score))
          top = { score: found.best.score, parameters: found.parameters }
      }
      done.push(...results)
      if (top !== undefined && (winner === undefined || meanOf(results) > meanOf(winner.trials)))
        winner = { trials: results, parameters: top.parameters }
    }
    if (winner === undefined || !Number.isFinite(meanOf(winner.trials)))
      return yield* failure ?? Effect.die(new RangeError("the grid has no trial"))
    return { trials: done, best: winner.trials, ...spreadOf(winner.trials), parameters: winner.parameters }
  })
