import { type ConfigProblem, ConfigError, Seed, type Spec } from "../spec/index.ts"
import type { SplitName } from "./Corpus.ts"
import type { Dataset } from "./Dataset.ts"

/**
 * What a model reads of a task's examples.
 *
 * `ids` [count * length] and `attention` [count * length], 1 on pieces and 0 on padding; `types` [count * length] the
 * segment of each piece where rows are pairs.
 */
export interface ExampleRows {
  readonly count: number
  readonly length: number
  readonly ids: Int32Array
  readonly attention: Float32Array
  readonly types?: Int32Array
}

/** Labelled rows of a task: `labels` the class of each row [count] or of each piece [count * length], where -1 is to be left out. */
export interface Examples extends ExampleRows {
  readonly labels: Int32Array
}

/** How many examples to take from which split, in rows of which length; the seed chooses them. */
export interface Sampling {
  readonly split: SplitName
  readonly count: number
  readonly length: number
  readonly seed: Seed.Seed
}

/** Where examples of a task come from; `examples` throws `ConfigError` when the split has fewer than asked for. */
export interface ExampleSource<E> {
  readonly spec: Spec.Spec
  readonly examples: (dataset: Dataset, sampling: Sampling) => E
}

/**
 * Something to learn from the corpus besides filling gaps: a value, named in an experiment.
 *
 * `kind` says what carries a label: every piece, or the row as a whole. `classes` are the names of the labels 0, 1, …
 */
export interface Task extends ExampleSource<Examples> {
  readonly kind: "token" | "sequence"
  readonly classes: ReadonlyArray<string>
}

/** A task's examples to learn from and to be judged on, from the splits of these names. */
export interface TaskData<E = Examples> {
  readonly train: E
  readonly test: E
}

/**
 * The examples of a task: `train` many of the training split and `test` many of the test split.
 *
 * The same numbers and seed give the same examples. They come from the dataset's `tasks` where it has them. Throws `ConfigError` when a split has fewer.
 */
export const taskData = <E>(
  task: ExampleSource<E>,
  dataset: Dataset,
  options: { readonly train: number; readonly test: number; readonly length?: number; readonly seed?: number }
): TaskData<E> => {
  const { length = 64, seed = 0 } = options
  const of = (split: "train" | "test") =>
    task.examples(dataset.tasks ?? dataset, {
      split,
      count: options[split],
      length,
      seed: Seed.child(Seed.child(Seed.make(seed), task.spec.name), split)
    })
  return { train: of("train"), test: of("test") }
}

/** The share of the most frequent class among the labels: what a guess without looking gets. */
export const majorityShare = (examples: Examples): number => {
  const counts = new Map<number, number>()
  let all = 0
  for (const label of examples.labels) {
    if (label < 0) continue
    counts.set(label, (counts.get(label) ?? 0) + 1)
    all++
  }
  return all === 0 ? 0 : Math.max(...counts.values()) / all
}

/** Throws the `ConfigError` of a task that was asked for more examples than a split has. */
export const refuseCount = (task: string, sampling: Sampling, available: number): void => {
  const { count, split } = sampling
  if (Number.isInteger(count) && count >= 1 && count <= available) return
  const problem: ConfigProblem = {
    key: `examples of ${task}`,
    value: String(count),
    bound: `a whole number in 1 … ${available}, what the ${split} split has`,
    remedy: "ask for fewer"
  }
  throw new ConfigError({ problems: [problem] })
}
