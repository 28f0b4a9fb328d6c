import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Backend } from "../backend/index.ts"
import type { ConfigError, OutputError } from "../spec/index.ts"
import * as Cell from "./Cell.ts"
import * as CellRun from "./CellRun.ts"
import * as Experiment from "./Experiment.ts"
import * as Laboratory from "./Laboratory.ts"
import { RunStore, type StoreError } from "./RunStore.ts"
import type * as Scale from "./Scale.ts"

/** A cell of an experiment: a row and a seed, and the key they have. */
export interface PlannedCell {
  readonly row: Experiment.Row
  readonly seed: number
  readonly key: string
  readonly spec: Cell.CellSpec
}

/** What happens while an experiment is run. */
export type RunnerEvent =
  | { readonly _tag: "Planned"; readonly cells: number; readonly kept: number; readonly jobs: number }
  | { readonly _tag: "CellStarted"; readonly cell: PlannedCell }
  | { readonly _tag: "CellProgress"; readonly cell: PlannedCell; readonly event: CellRun.CellEvent }
  | { readonly _tag: "CellFinished"; readonly cell: PlannedCell; readonly result: Cell.CellResult }

/** How an experiment is run. */
export interface RunnerOptions {
  readonly experiment: Experiment.ExperimentOptions
  readonly scale: Scale.Scale
  readonly seeds: ReadonlyArray<number>
  /** Cells that are run at the same time. */
  readonly jobs: number
  readonly materials: Laboratory.Materials
  readonly machine: CellRun.Machine
  readonly emit: (event: RunnerEvent) => Effect.Effect<void>
}

/** A finished experiment: its rows, and the result of each row and seed. */
export interface Finished {
  readonly experiment: Experiment.ExperimentOptions
  readonly scale: Scale.Scale
  readonly seeds: ReadonlyArray<number>
  readonly rows: ReadonlyArray<{ readonly row: Experiment.Row; readonly cells: ReadonlyArray<Cell.CellResult> }>
}

/** The cells of an experiment: every row with every seed, so that rows are paired by seed. */
export const plan = (
  o: Pick<RunnerOptions, "experiment" | "scale" | "seeds"> & {
    readonly materials: Omit<Laboratory.Materials, "teacher">
  }
): Effect.Effect<ReadonlyArray<PlannedCell>, ConfigError> =>
  Effect.map(Experiment.rows(o.experiment, o.scale), (rows) =>
    o.seeds.flatMap((seed) =>
      rows.map((row) => {
        const spec: Cell.CellSpec = {
          plan: row.plan,
          seed,
          scale: o.scale,
          measures: o.experiment.measure,
          teacher: o.materials.teacherDigest,
          dataset: o.materials.dataset.spec,
          backend: o.materials.backend
        }
        return { row, seed, key: Cell.key(spec), spec }
      })
    )
  )

/** The kept results of cells, by key. */
const keptOf = (cells: ReadonlyArray<PlannedCell>) =>
  Effect.flatMap(RunStore, (store) =>
    Effect.map(
      Effect.forEach(cells, ({ key }) => store.get(key)),
      (found) => new Map(found.flatMap((result) => (result === undefined ? [] : [[result.key, result] as const])))
    )
  )

/** Runs one cell, wherever that may be, and tells what happens in it. */
export type Execute<E> = (
  cell: PlannedCell,
  emit: (event: CellRun.CellEvent) => Effect.Effect<void>
) => Effect.Effect<Cell.CellResult, E>

/** Where cells are run, set up for so many missing ones once there are any. */
export type Executor<E, R> = (missing: number) => Effect.Effect<Execute<E>, E, R | Scope.Scope>

/** Runs cells in this process, on this backend: one after the other, for a native call takes the whole of it. */
export const here =
  ({
    materials,
    scale,
    machine
  }: Pick<RunnerOptions, "materials" | "scale" | "machine">): Executor<CellRun.CellFailure, Backend> =>
  () =>
    Effect.gen(function* () {
      const backend = yield* Backend
      const laboratory = yield* Laboratory.make({ ...materials, scale })
      return (cell, emit) =>
        CellRun.run(cell.spec, laboratory, machine, emit).pipe(Effect.provideService(Backend, backend))
    })

/** Runs cells, `jobs` at a time; each is kept as soon as it is finished. */
const runMissing = <E, R>(o: RunnerOptions, missing: ReadonlyArray<PlannedCell>, executor: Executor<E, R>) =>
  Effect.gen(function* () {
    const store = yield* RunStore
    const execute = yield* executor(missing.length)
    return yield* Effect.forEach(
      missing,
      (cell) =>
        Effect.gen(function* () {
          yield* o.emit({ _tag: "CellStarted", cell })
          const result = yield* execute(cell, (event) => o.emit({ _tag: "CellProgress", cell, event }))
          yield* store.put(result)
          yield* o.emit({ _tag: "CellFinished", cell, result })
          return result
        }),
      { concurrency: o.jobs }
    )
  })

/**
 * Runs the cells of an experiment that the store lacks, and gives all of them.
 *
 * Where no cell is missing nothing is set up, so a finished table is there at once. Stopping it loses only the cells in hand.
 */
export const runWith = <E, R>(
  o: RunnerOptions,
  executor: Executor<E, R>
): Effect.Effect<Finished, E | ConfigError | StoreError | OutputError, Exclude<R, Scope.Scope> | RunStore> =>
  Effect.gen(function* () {
    const cells = yield* plan(o)
    const kept = yield* keptOf(cells)
    const missing = cells.filter(({ key }) => !kept.has(key))
    yield* o.emit({ _tag: "Planned", cells: cells.length, kept: cells.length - missing.length, jobs: o.jobs })
    const fresh = missing.length === 0 ? [] : yield* Effect.scoped(runMissing(o, missing, executor))
    const byKey = new Map([...kept, ...fresh.map((result) => [result.key, result] as const)])
    const rows = [...new Set(cells.map(({ row }) => row))].map((row) => ({
      row,
      cells: cells.filter((cell) => cell.row === row).flatMap(({ key }) => byKey.get(key) ?? [])
    }))
    return { experiment: o.experiment, scale: o.scale, seeds: o.seeds, rows }
  })

/** `runWith` in this process. */
export const run = (
  o: RunnerOptions
): Effect.Effect<Finished, CellRun.CellFailure | StoreError | OutputError, Backend | RunStore> => runWith(o, here(o))
