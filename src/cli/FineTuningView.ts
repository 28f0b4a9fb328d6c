import type { EncodedTask } from "../data/index.ts"
import { type TextFineTune, type TextGrid, TextMeasure } from "../evaluate/index.ts"
import * as Words from "./Words.ts"
import * as Columns from "./runs/Columns.ts"

/** What is known of a fine-tuning in progress, of one setting after another; times in milliseconds of the clock. */
export interface FineTuningView {
  readonly trials: ReadonlyArray<TextGrid.TextTrial>
  readonly started: number
  /** The trial at work. */
  readonly index: number
  /** Steps of the trial, and those done. */
  readonly steps: number
  readonly step: number
  readonly stepsPerEpoch: number
  /** Steps done in all trials. */
  readonly done: number
  /** The loss of the trial, smoothed over about the last twenty steps. */
  readonly loss?: number
  /** The last score of the trial, and its best. */
  readonly score?: number
  readonly best?: number
}

/** Before the first trial. */
export const start = (trials: ReadonlyArray<TextGrid.TextTrial>, now: number): FineTuningView => ({
  trials,
  started: now,
  index: 0,
  steps: 0,
  step: 0,
  stepsPerEpoch: 0,
  done: 0
})

const smoothing = 0.05

/** The view after an event. */
export const follow = (view: FineTuningView, event: TextGrid.TextGridEvent): FineTuningView => {
  switch (event._tag) {
    case "Trial": {
      const { loss: _loss, score: _score, best: _best, ...rest } = view
      return { ...rest, index: event.index, steps: 0, step: 0 }
    }
    case "Started":
      return { ...view, steps: event.steps, stepsPerEpoch: event.stepsPerEpoch }
    case "Stepped": {
      const loss = view.loss === undefined ? event.loss : view.loss + smoothing * (event.loss - view.loss)
      return { ...view, step: event.step, done: view.done + 1, loss }
    }
    case "Evaluated": {
      const { score } = event.evaluation
      return { ...view, score, best: Math.max(view.best ?? score, score) }
    }
    case "Ended":
      return view
  }
}

/** Steps that are left at most, in this trial and in those to come. */
const left = ({ trials, index, steps, step, stepsPerEpoch }: FineTuningView): number =>
  trials
    .slice(index + 1)
    .reduce((sum, { epochs }) => sum + Math.max(1, Math.round(epochs * stepsPerEpoch)), steps - step)

const hundredths = (score: number): string => (100 * score).toFixed(1)

/** A setting in words. */
export const setting = ({ learningRate, epochs }: Pick<TextGrid.TextTrial, "learningRate" | "epochs">): string =>
  `learning rate ${learningRate}, ${Words.counted(epochs, "epoch")}`

/** The parts of the line about it. */
export const parts = (view: FineTuningView, now: number): ReadonlyArray<string> => {
  const { trials, index, steps, step, done, loss, score, best } = view
  const trial = trials[index]
  const seconds = (now - view.started) / 1000
  const rate = seconds > 0 ? done / seconds : 0
  const ahead = left(view)
  return [
    "fine-tuning",
    ...(trials.length < 2 || trial === undefined
      ? []
      : [`${index + 1} of ${trials.length}`, `${setting(trial)}, seed ${trial.seed}`]),
    steps === 0 ? "starting" : `${step}/${steps}`,
    ...(loss === undefined ? [] : [`loss ${Words.short(loss)}`]),
    ...(score === undefined || best === undefined
      ? []
      : [`score ${hundredths(score)}${best > score ? `, best ${hundredths(best)}` : ""}`]),
    ...(rate === 0 || steps === 0
      ? []
      : [`${Words.short(rate)} steps/s`, ...(ahead === 0 ? [] : [`${Words.duration(ahead / rate)} left`])])
  ]
}

/** A mean and its deviation (n - 1), in hundredths. */
const spread = (values: ReadonlyArray<number>): string => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return `${hundredths(mean)} ± ${hundredths(Math.sqrt(squares / (values.length - 1)))}`
}

/** The metrics of an evaluation in the order of the table's columns; their mean last where there are several. */
const valuesOf = ({ task }: EncodedTask, { splits, score }: TextFineTune.TextEvaluation): ReadonlyArray<number> => {
  const values = splits.flatMap(({ metrics }) => task.metrics.map((name) => metrics[name] ?? Number.NaN))
  return values.length > 1 ? [...values, score] : values
}

/** What each fine-tuning reached at its best evaluation, in hundredths; means and deviations of settings that several seeds tried. */
export const table = (encoded: EncodedTask, trials: ReadonlyArray<TextGrid.TextTrialResult>): ReadonlyArray<string> => {
  const names = TextMeasure.of(encoded).columns.map(({ name }) => name)
  const columns = names.length > 1 ? [...names, "mean"] : names
  const settings = [...new Set(trials.map(setting))]
  const rows = settings.flatMap((each) => {
    const own = trials.filter((trial) => setting(trial) === each)
    const reached = own.flatMap(({ best }) => (best === undefined ? [] : [valuesOf(encoded, best)]))
    const head = ({ learningRate, epochs }: TextGrid.TextTrial) => [String(learningRate), String(epochs)]
    const lines = own.map((trial) => [
      ...head(trial),
      String(trial.seed),
      ...(trial.best === undefined
        ? ["", ...columns.map(() => "diverged")]
        : [String(trial.best.step), ...valuesOf(encoded, trial.best).map(hundredths)])
    ])
    const [first] = own
    return first === undefined || reached.length < 2
      ? lines
      : [
          ...lines,
          [
            ...head(first),
            "all",
            "",
            ...columns.map((_, c) => spread(reached.map((values) => values[c] ?? Number.NaN)))
          ]
        ]
  })
  const right = (name: string) => ({ name, side: "right" }) as const
  return Columns.lines(["learning rate", "epochs", "seed", "step", ...columns].map(right), rows)
}

/** Which setting won, in words. */
export const winner = (encoded: EncodedTask, { best, mean, deviation }: TextGrid.TextGridResult): string => {
  const [trial] = best
  const several = encoded.dev.length * encoded.task.metrics.length > 1 ? ", the mean of all" : ""
  const range = best.length > 1 ? ` ± ${hundredths(deviation)}` : ""
  return trial === undefined ? "" : `best: ${setting(trial)}: ${hundredths(mean)}${range}${several}`
}
