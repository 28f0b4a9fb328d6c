import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { Backend } from "../backend/index.ts"
import { SharedTeacher } from "../distill/index.ts"
import type { ConfigError } from "../spec/index.ts"
import { BertConfig, Parameters } from "../model/index.ts"
import type { Dataset } from "../data/index.ts"
import * as Cell from "./Cell.ts"
import * as CellCost from "./CellCost.ts"
import type { CellEvent, CellFailure } from "./CellEvent.ts"
import * as CellGroup from "./CellGroup.ts"
import * as CellRun from "./CellRun.ts"
import * as CellWork from "./CellWork.ts"
import type * as Experiment from "./Experiment.ts"
import * as ExperimentRows from "./ExperimentRows.ts"
import * as Laboratory from "./Laboratory.ts"
import { type Claim, RunStore, type StoreError } from "./RunStore.ts"
import * as Scale from "./Scale.ts"

/** A cell of an experiment: a row and a seed, and the key they have. */
export interface PlannedCell {
  readonly row: ExperimentRows.Row
  readonly seed: number
  readonly key: string
  readonly spec: Cell.CellSpec
}

/** What happens to a cell before it is finished. */
export type CellNews =
  /** `from` is the step it goes on from, where it was begun before. */
  | { readonly _tag: "CellStarted"; readonly cell: PlannedCell; readonly from?: number }
  | { readonly _tag: "CellProgress"; readonly cell: PlannedCell; readonly event: CellEvent }
  /** Another process works on it; told once. */
  | { readonly _tag: "CellElsewhere"; readonly cell: PlannedCell }

/** A cell to run, and the work that it is. */
export interface PlannedWork {
  readonly key: string
  readonly work: CellWork.CellWork
}

/** What happens while experiments are run. */
export type RunnerEvent =
  | {
      readonly _tag: "Planned"
      readonly cells: number
      readonly kept: number
      /** Cells that run at the same time. */
      readonly atOnce: number
      /** The groups that are to run, `jobs` at a time. */
      readonly groups: ReadonlyArray<ReadonlyArray<PlannedWork>>
      readonly jobs: number
    }
  | CellNews
  | { readonly _tag: "CellFinished"; readonly cell: PlannedCell; readonly result: Cell.CellResult }

/** An experiment and the seeds its rows are run with. */
export interface SeededExperiment {
  readonly experiment: Experiment.ExperimentOptions
  readonly seeds: ReadonlyArray<number>
}

/** How experiments are run. */
export interface RunnerOptions {
  readonly experiments: ReadonlyArray<SeededExperiment>
  readonly scale: Scale.Scale
  /** Groups of cells that are run at the same time; the cells of a group share a teacher. */
  readonly jobs: number
  readonly materials: Laboratory.Materials
  readonly machine: CellRun.Machine
  /** Seconds of a cell's work after which a checkpoint is kept; 20 unless given. */
  readonly checkpointEvery?: number
  readonly emit: (event: RunnerEvent) => Effect.Effect<void>
}

/** A finished experiment: its rows, and the result of each row and seed. */
export interface Finished extends SeededExperiment {
  readonly scale: Scale.Scale
  readonly rows: ReadonlyArray<{ readonly row: ExperimentRows.Row; readonly cells: ReadonlyArray<Cell.CellResult> }>
}

/** What cells are run on, as far as their keys name it. */
export type Named = Pick<Laboratory.Materials, "teacherDigest" | "backend"> & {
  readonly dataset: Pick<Dataset, "spec">
}

/** The cells of an experiment: every row with every seed, so that rows are paired by seed. */
export const plan = (
  o: SeededExperiment & {
    readonly scale: Scale.Scale
    readonly materials: Named
  }
): Effect.Effect<ReadonlyArray<PlannedCell>, ConfigError> =>
  Effect.map(ExperimentRows.of(o.experiment, o.scale), (rows) =>
    o.seeds.flatMap((seed) =>
      rows.map((row) => {
        const { trajectory } = o.experiment
        const spec: Cell.CellSpec = {
          plan: row.plan,
          seed,
          scale: o.scale,
          measures: o.experiment.measure,
          ...(trajectory === undefined ? {} : { trajectory }),
          teacher: o.materials.teacherDigest,
          dataset: o.materials.dataset.spec,
          backend: o.materials.backend
        }
        return { row, seed, key: Cell.key(spec), spec }
      })
    )
  )

/** The cells of several experiments, each experiment's own and all of them once. */
export const planAll = (o: Pick<RunnerOptions, "experiments" | "scale"> & { readonly materials: Named }) =>
  Effect.map(
    Effect.forEach(o.experiments, (one) =>
      Effect.map(plan({ ...one, scale: o.scale, materials: o.materials }), (cells) => ({ ...one, cells }))
    ),
    (planned) => ({
      planned,
      cells: [...new Map(planned.flatMap(({ cells }) => cells).map((cell) => [cell.key, cell])).values()]
    })
  )

/** The kept results of cells, by key. */
export const keptOf = (cells: ReadonlyArray<PlannedCell>) =>
  Effect.flatMap(RunStore, (store) =>
    Effect.map(
      Effect.forEach(cells, ({ key }) => store.get(key)),
      (found) => new Map(found.flatMap((result) => (result === undefined ? [] : [[result.key, result] as const])))
    )
  )

/** Cells that share a teacher, and are run together. */
export type Group = Arr.NonEmptyReadonlyArray<PlannedCell>

/** What becomes of the cells of a group; one that another process works on is not finished. */
export interface Listener<E> {
  readonly tell: (news: CellNews) => Effect.Effect<void>
  readonly finish: (cell: PlannedCell, result: Cell.CellResult) => Effect.Effect<void, E>
}

/** Runs a group of cells, wherever that may be, and keeps them in the store. */
export type Execute<E> = <E2>(group: Group, listener: Listener<E2>) => Effect.Effect<void, E | E2>

/** Where cells are run, set up for so many groups once there are any. */
export type Executor<E, R> = (groups: number) => Effect.Effect<Execute<E>, E, R | Scope.Scope>

/**
 * Runs groups in this process, on this backend; in a group one cell works at a time. Cells that another process works on are left to it.
 * When one fails, the others go on to their ends.
 */
export const here =
  ({
    materials,
    scale,
    machine,
    checkpointEvery
  }: Pick<RunnerOptions, "materials" | "scale" | "machine" | "checkpointEvery">): Executor<
    CellFailure,
    Backend | RunStore
  > =>
  () =>
    Effect.gen(function* () {
      const backend = yield* Backend
      const store = yield* RunStore
      const laboratory = yield* Laboratory.make({ ...materials, scale })
      return (group, { tell, finish }) =>
        Effect.gen(function* () {
          const claimed: Array<{ readonly cell: PlannedCell; readonly claim: Claim }> = []
          for (const cell of group) {
            const claim = yield* store.claim(cell.key)
            // asked now, for it may have been finished before the claim was given
            const result = yield* store.get(cell.key)
            if (result !== undefined) yield* finish(cell, result)
            else if (claim === undefined) yield* tell({ _tag: "CellElsewhere", cell })
            else claimed.push({ cell, claim })
          }
          if (!Arr.isReadonlyArrayNonEmpty(claimed)) return
          const programs = claimed.map(
            ({ cell, claim }) =>
              (share: SharedTeacher.Share) =>
                Effect.gen(function* () {
                  const from = yield* CellRun.beginning(claim)
                  yield* tell({ _tag: "CellStarted", cell, ...(from === undefined ? {} : { from: from.state.step }) })
                  const emit = (event: CellEvent) => tell({ _tag: "CellProgress", cell, event })
                  yield* finish(
                    cell,
                    yield* CellRun.runWith(share, cell.spec, {
                      laboratory,
                      machine,
                      claim,
                      ...(from === undefined ? {} : { from }),
                      ...(checkpointEvery === undefined ? {} : { checkpointEvery }),
                      emit
                    })
                  )
                })
          )
          const teacher = CellRun.teacherOf(
            Arr.map(claimed, ({ cell }) => cell.spec),
            laboratory
          )
          yield* SharedTeacher.together(teacher, programs).pipe(
            Effect.flatMap(Exit.asVoidAll),
            Effect.provideService(Backend, backend)
          )
        }).pipe(Effect.scoped)
    })

/** Runs groups, `jobs` at a time; each cell is kept as soon as it is finished. */
const runGroups = <E, R>(o: RunnerOptions, groups: ReadonlyArray<Group>, executor: Executor<E, R>) =>
  Effect.gen(function* () {
    const execute = yield* executor(groups.length)
    const results = new Map<string, Cell.CellResult>()
    const elsewhere = new Set<string>()
    const listener: Listener<never> = {
      tell: (news) => {
        if (news._tag !== "CellElsewhere") return o.emit(news)
        if (elsewhere.has(news.cell.key)) return Effect.void
        elsewhere.add(news.cell.key)
        return o.emit(news)
      },
      finish: (cell, result) => {
        results.set(cell.key, result)
        return o.emit({ _tag: "CellFinished", cell, result })
      }
    }
    for (let left = groups; left.length > 0;) {
      yield* Effect.forEach(left, (group) => execute(group, listener), { concurrency: o.jobs, discard: true })
      const unfinished = left.flat().filter(({ key }) => !results.has(key))
      // what another process works on is looked after again, should that one end without it
      if (unfinished.length > 0) yield* Effect.sleep("1 second")
      left = CellGroup.of(unfinished, o.jobs)
    }
    return results
  })

/** The work of each cell of groups, under a teacher of this shape. */
const worksOf = (
  groups: ReadonlyArray<Group>,
  teacher: BertConfig.BertConfig
): ReadonlyArray<ReadonlyArray<PlannedWork>> => {
  const costOf = CellCost.under(teacher)
  const size = Parameters.count(Parameters.bert(teacher), BertConfig.axes(teacher))
  return groups.map((group) => {
    const works = CellWork.of(
      group.map(({ spec }) => costOf(spec)),
      size
    )
    return group.flatMap(({ key }, i) => {
      const work = works[i]
      return work === undefined ? [] : [{ key, work }]
    })
  })
}

/**
 * Runs the cells of experiments that the store lacks, each once, and gives the experiments with all of their results.
 *
 * Where no cell is missing nothing is set up, so a finished table is there at once. Stopped, it goes on from the cells' last checkpoints.
 * Several processes may do so on one store: they share the work.
 */
export const runWith = <E, R>(
  o: RunnerOptions,
  executor: Executor<E, R>
): Effect.Effect<ReadonlyArray<Finished>, E | ConfigError | StoreError, Exclude<R, Scope.Scope> | RunStore> =>
  Effect.gen(function* () {
    const { planned, cells } = yield* planAll(o)
    const kept = yield* keptOf(cells)
    const missing = cells.filter(({ key }) => !kept.has(key))
    const refusal = missing.length === 0 ? undefined : Scale.refusal(o.scale)
    if (refusal !== undefined) return yield* refusal
    const groups = CellGroup.of(missing, o.jobs)
    const atOnce = groups.slice(0, o.jobs).reduce((sum, group) => sum + group.length, 0)
    yield* o.emit({
      _tag: "Planned",
      cells: cells.length,
      kept: kept.size,
      atOnce,
      groups: worksOf(groups, o.materials.teacher.config),
      jobs: o.jobs
    })
    const fresh =
      groups.length === 0 ? new Map<string, Cell.CellResult>() : yield* Effect.scoped(runGroups(o, groups, executor))
    return planned.map((one) => finishedOf(one, o.scale, (key) => kept.get(key) ?? fresh.get(key)))
  })

/** An experiment with the results of its cells, as far as there are any. */
export const finishedOf = (
  { experiment, seeds, cells }: SeededExperiment & { readonly cells: ReadonlyArray<PlannedCell> },
  scale: Scale.Scale,
  result: (key: string) => Cell.CellResult | undefined
): Finished => ({
  experiment,
  seeds,
  scale,
  rows: [...Map.groupBy(cells, ({ row }) => row)].map(([row, own]) => ({
    row,
    cells: own.flatMap(({ key }) => result(key) ?? [])
  }))
})

/** `runWith` in this process. */
export const run = (o: RunnerOptions): Effect.Effect<ReadonlyArray<Finished>, CellFailure, Backend | RunStore> =>
  runWith(o, here(o))
