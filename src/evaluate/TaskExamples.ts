import * as Effect from "effect/Effect"
import { type Dataset, type ExampleSource, taskData, type TaskData } from "../data/index.ts"
import { type ConfigError, Options } from "../spec/index.ts"

/** Which examples of a task are learned from and judged on: so many of either split, in rows of `length`, chosen by `seed`. */
export interface TaskSample {
  readonly train: number
  readonly test: number
  readonly length: number
  readonly seed: number
}

/** A task's examples; fails with `ConfigError` when a split has fewer than asked for. */
export const take = <E>(
  task: ExampleSource<E>,
  dataset: Dataset,
  sample: TaskSample
): Effect.Effect<TaskData<E>, ConfigError> =>
  Effect.suspend(() => {
    const { train, test, length, seed } = sample
    return Effect.fromResult(Options.attempt(() => taskData(task, dataset, { train, test, length, seed })))
  })
