import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { Backend } from "../backend/index.ts"
import { SharedTeacher } from "../distill/index.ts"
import type { ConfigError, OutputError } from "../spec/index.ts"
import * as Cell from "./Cell.ts"
import * as CellGroup from "./CellGroup.ts"
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

/** What happens to a cell before it is finished. */
export type CellNews =
  | { readonly _tag: "CellStarted"; readonly cell: PlannedCell }
  | { readonly _tag: "CellProgress"; readonly cell: PlannedCell; readonly event: CellRun.CellEvent }

/** What happens while an experiment is run; `atOnce` are the cells that run at the same time. */
export type RunnerEvent =
  | { readonly _tag: "Planned"; readonly cells: number; readonly kept: number; readonly atOnce: number }
  | CellNews
  | { readonly _tag: "CellFinished"; readonly cell: PlannedCell; readonly result: Cell.CellResult }

/** How an experiment is run. */
export interface RunnerOptions {
  readonly experiment: Experiment.ExperimentOptions
  readonly scale: Scale.Scale
  readonly seeds: ReadonlyArray<number>
  /** Groups of cells that are run at the same time; the cells of a group share a teacher. */
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

/** Cells that share a teacher, and are run together. */
export type Group = Arr.NonEmptyReadonlyArray<PlannedCell>

/** What becomes of the cells of a group. */
export interface Listener<E> {
  readonly tell: (news: CellNews) => Effect.Effect<void>
  readonly finish: (cell: PlannedCell, result: Cell.CellResult) => Effect.Effect<void, E>
}

/** Runs a group of cells, wherever that may be. */
export type Execute<E> = <E2>(group: Group, listener: Listener<E2>) => Effect.Effect<void, E | E2>

/** Where cells are run, set up for so many groups once there are any. */
export type Executor<E, R> = (groups: number) => Effect.Effect<Execute<E>, E, R | Scope.Scope>

/** Runs groups in this process, on this backend; in a group one cell works at a time. When one fails, the others go on to their ends. */
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
      return (group, { tell, finish }) => {
        const programs = group.map(
          (cell) => (share: SharedTeacher.Share) =>
            tell({ _tag: "CellStarted", cell }).pipe(
              Effect.andThen(
                CellRun.runWith(share, cell.spec, laboratory, machine, (event) =>
                  tell({ _tag: "CellProgress", cell, event })
                )
              ),
              Effect.flatMap((result) => finish(cell, result))
            )
        )
        const teacher = CellRun.teacherOf(
          Arr.map(group, ({ spec }) => spec),
          laboratory
        )
        return SharedTeacher.together(teacher, programs).pipe(
          Effect.flatMap(Exit.asVoidAll),
          Effect.provideService(Backend, backend)
        )
      }
    })

/** Runs groups, `jobs` at a time; each cell is kept as soon as it is finished. */
const runMissing = <E, R>(o: RunnerOptions, groups: ReadonlyArray<Group>, executor: Executor<E, R>) =>
  Effect.gen(function* () {
    const store = yield* RunStore
    const execute = yield* executor(groups.length)
    const results: Array<Cell.CellResult> = []
    const finish = (cell: PlannedCell, result: Cell.CellResult) =>
      Effect.gen(function* () {
        yield* store.put(result)
        results.push(result)
        yield* o.emit({ _tag: "CellFinished", cell, result })
      })
    yield* Effect.forEach(groups, (group) => execute(group, { tell: o.emit, finish }), {
      concurrency: o.jobs,
      discard: true
    })
    return results
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
    const groups = CellGroup.of(missing, o.jobs)
    const atOnce = groups.slice(0, o.jobs).reduce((sum, group) => sum + group.length, 0)
    yield* o.emit({ _tag: "Planned", cells: cells.length, kept: cells.length - missing.length, atOnce })
    const fresh = groups.length === 0 ? [] : yield* Effect.scoped(runMissing(o, groups, executor))
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
