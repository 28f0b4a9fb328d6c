import * as Effect from "effect/Effect"
import type { Backend } from "../backend/index.ts"
import type { OutputError } from "../spec/index.ts"
import type { ConfigError } from "../spec/index.ts"
import * as Cell from "./Cell.ts"
import * as CellRun from "./CellRun.ts"
import * as Experiment from "./Experiment.ts"
import type { Laboratory } from "./Laboratory.ts"
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
  readonly laboratory: Laboratory
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
    readonly laboratory: Pick<Laboratory, "teacherDigest" | "dataset" | "backend">
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
          teacher: o.laboratory.teacherDigest,
          dataset: o.laboratory.dataset.spec,
          backend: o.laboratory.backend
        }
        return { row, seed, key: Cell.key(spec), spec }
      })
    )
  )

/** Runs the cells of an experiment that are missing in the store, and gives all of them. */
export const run = (
  o: RunnerOptions
): Effect.Effect<Finished, CellRun.CellFailure | StoreError | OutputError, Backend | RunStore> =>
  Effect.gen(function* () {
    const store = yield* RunStore
    const cells = yield* plan(o)
    const known = yield* Effect.forEach(cells, (cell) => store.get(cell.key))
    const kept = known.filter((result) => result !== undefined).length
    yield* o.emit({ _tag: "Planned", cells: cells.length, kept, jobs: o.jobs })
    const results = yield* Effect.forEach(
      cells,
      (cell, i) =>
        Effect.gen(function* () {
          const found = known[i]
          if (found !== undefined) return found
          yield* o.emit({ _tag: "CellStarted", cell })
          const result = yield* CellRun.run(cell.spec, o.laboratory, o.machine, (event) =>
            o.emit({ _tag: "CellProgress", cell, event })
          )
          yield* store.put(result)
          yield* o.emit({ _tag: "CellFinished", cell, result })
          return result
        }),
      { concurrency: o.jobs }
    )
    const byKey = new Map(results.map((result) => [result.key, result]))
    const rows = [...new Set(cells.map(({ row }) => row))].map((row) => ({
      row,
      cells: cells.filter((cell) => cell.row === row).flatMap(({ key }) => byKey.get(key) ?? [])
    }))
    return { experiment: o.experiment, scale: o.scale, seeds: o.seeds, rows }
  })
