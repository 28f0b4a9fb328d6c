import { genre, partOfSpeech, type Task, wordOrder } from "../../data/index.ts"
import * as FineTune from "../FineTune.ts"
import * as Probe from "../Probe.ts"
import * as Tuning from "../Tuning.ts"
import { all, type Measure, type Sized } from "./Measure.ts"
import { percent, sized, tuningSeed } from "./sized.ts"
import * as TextMeasure from "./TextMeasure.ts"

/**
 * How well a logistic regression tells a task's labels from the frozen model's hidden states: test accuracy, `Probe.run`.
 *
 * Throws `ConfigError` with every illegal option at once.
 */
export const probe = (task: Task, options: Sized<Probe.ProbeOptions> = {}): Measure => {
  const id = `${task.spec.name}.probe`
  return sized({
    name: "probe",
    columns: [{ id, name: `${title(task)}, probe`, ...percent }],
    full: Probe.make(task, options.full),
    small: Probe.make(task, { ...Probe.small(task.kind), ...options.small }),
    run: (what, { model, dataset }) => Probe.run(what, model, dataset),
    values: ({ accuracy }) => ({ [id]: 100 * accuracy }),
    flops: Probe.flops
  })
}

/**
 * How well the model does on a task after fine-tuning all its weights: test accuracy, `FineTune.run`; the run's seed decides
 * the head's start, the order of the examples and dropout.
 *
 * Throws `ConfigError` with every illegal option at once.
 */
export const fineTune = (task: Task, options: Sized<FineTune.FineTuneOptions> = {}): Measure => {
  const id = `${task.spec.name}.fineTune`
  return sized({
    name: "fineTune",
    columns: [{ id, name: `${title(task)}, fine-tuned`, ...percent }],
    full: FineTune.make(task, options.full),
    small: FineTune.make(task, { ...FineTune.small(task.kind), ...options.small }),
    run: (what, context) => FineTune.run(what, context.model, context.dataset, tuningSeed(task, context)),
    values: ({ accuracy }) => ({ [id]: 100 * accuracy }),
    flops: ({ options }, config) => Tuning.flops(options, config)
  })
}

/** `partOfSpeech` as words: `Part of speech`. */
const title = (task: Task): string =>
  task.spec.name
    .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .replace(/^./, (letter) => letter.toUpperCase())

/**
 * A downstream task by frozen probe and by fine-tuning: two columns.
 *
 * @example
 * ```ts
 * import { partOfSpeech } from "homodistil/data"
 * import { Measure } from "homodistil/evaluate"
 * assert.deepEqual(Measure.task(partOfSpeech()).columns.map((column) => column.name), ["Part of speech, probe", "Part of speech, fine-tuned"])
 * ```
 */
export const task = (
  which: Task,
  options: { readonly probe?: Sized<Probe.ProbeOptions>; readonly fineTune?: Sized<FineTune.FineTuneOptions> } = {}
): Measure => all("task", [probe(which, options.probe), fineTune(which, options.fineTune)])

/**
 * The three tasks of the Brown corpus as the micro scale measures them: part of speech, genre and word order, each by probe and
 * by fine-tuning; six columns. Tasks of labelled text take their place where a user gives some.
 *
 * @example
 * ```ts
 * import { Measure } from "homodistil/evaluate"
 * const ids = Measure.brown().columns.map((column) => column.id)
 * assert.deepEqual(ids.slice(0, 3), ["partOfSpeech.probe", "partOfSpeech.fineTune", "genre.probe"])
 * ```
 */
export const brown = (): Measure => {
  // a sentence is short, a genre needs all the text there is
  const sentences = { length: 32 }
  const own = all("brown", [
    task(partOfSpeech()),
    task(genre(), { fineTune: { full: { train: 1920, steps: 120, learningRate: 1e-3 } } }),
    task(wordOrder(), {
      probe: { full: sentences, small: sentences },
      fineTune: { full: sentences, small: sentences }
    })
  ])
  return {
    ...own,
    on: ({ texts }) => {
      if (texts === undefined) return undefined
      const measure = TextMeasure.several(texts.tasks, { full: texts.options })
      const ids = measure.columns.map(({ id }) => id)
      return { measure, columns: new Map(own.columns.map(({ id }) => [id, ids])) }
    }
  }
}
