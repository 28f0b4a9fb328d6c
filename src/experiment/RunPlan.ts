import * as Effect from "effect/Effect"
import { DistillPlan } from "../distill/index.ts"
import { BertConfig, Parameters } from "../model/index.ts"
import { type ConfigError, Digest, Spec } from "../spec/index.ts"
import * as Cell from "./Cell.ts"
import * as CellCost from "./CellCost.ts"
import * as CellGroup from "./CellGroup.ts"
import * as Experiment from "./Experiment.ts"
import type { SeededExperiment } from "./Runner.ts"
import type * as Scale from "./Scale.ts"

/** What a plan is made from. */
export interface RunPlanOptions {
  readonly experiments: ReadonlyArray<SeededExperiment>
  readonly scale: Scale.Scale
  /** The shape of the teacher. */
  readonly teacher: BertConfig.BertConfig
  /** Processes that run cells at the same time. */
  readonly jobs: number
  /** Floating-point operations of large matrix products that one such process does in a second, as `Calibration.measure` gives them. */
  readonly rate: number
}

/** What the cells of one row cost, each. */
export interface RowPlan {
  readonly row: Experiment.Row
  readonly cells: number
  readonly cost: CellCost.CellCost
}

/** What experiments cost, before anything runs. */
export interface RunPlan extends RunPlanOptions {
  readonly planned: ReadonlyArray<SeededExperiment & { readonly rows: ReadonlyArray<RowPlan> }>
  /** Different cells of all experiments; those that several have are counted once. */
  readonly cells: number
  /** Of all different cells: the students', and the teacher's, whose forward passes are shared by the cells of a group. */
  readonly operations: { readonly student: number; readonly teacher: number }
  /** Seconds until the last cell has been trained, its `jobs` always busy. */
  readonly seconds: number
  /** Bytes of the process that needs most: the students of a group are all alive. */
  readonly memory: number
  readonly teacherParameters: number
}

/** The share of the speed of large matrix products that a distillation reaches as a whole, by the parameters of its teacher. */
const efficiencies: ReadonlyArray<readonly [parameters: number, share: number]> = [
  [1e6, 0.3],
  [2e7, 0.6]
]

/**
 * The share of the speed of large matrix products that training reaches under a teacher of so many parameters: .3 at the micro teacher's
 * million, .6 from twenty million on, and between them by the logarithm. The first is what micro cells take that share a teacher on two
 * cores; the second is rounded down from single steps of large models (bench/README.md). Times are good to a factor of 2.
 *
 * @example
 * ```ts
 * import { RunPlan } from "homodistil/experiment"
 * assert.deepEqual([1e6, 2e7, 1e9].map(RunPlan.efficiency), [0.3, 0.6, 0.6])
 * ```
 */
export const efficiency = (parameters: number): number => {
  const [[small, low], [large, high]] = [efficiencies[0] ?? [1, 1], efficiencies[1] ?? [1, 1]]
  const place = Math.log(parameters / small) / Math.log(large / small)
  return low + (high - low) * Math.min(1, Math.max(0, place))
}

/** A cell as far as it is known without weights and data: enough to tell different cells apart. */
const specOf = (
  { row, seed }: { readonly row: Experiment.Row; readonly seed: number },
  { experiment, scale }: Pick<RunPlanOptions, "scale"> & Pick<SeededExperiment, "experiment">
): Cell.CellSpec => ({
  plan: row.plan,
  seed,
  scale,
  measures: experiment.measure,
  ...(experiment.trajectory === undefined ? {} : { trajectory: experiment.trajectory }),
  teacher: Digest.of("planned"),
  dataset: Spec.make("planned"),
  backend: Spec.make("planned")
})

const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)

/** The memory of the students of a group, side by side: the teacher is there once, and one student computes at a time. */
const memoryOf = (costs: ReadonlyArray<CellCost.CellCost>): number =>
  Math.max(...costs.map(({ memory }) => memory.teacher)) +
  Math.max(...costs.map(({ memory }) => memory.activations + memory.gradients)) +
  sum(costs.map(({ memory }) => memory.weights + memory.moments + memory.slots))

/**
 * What experiments cost at a scale; nothing is run, and neither weights nor data are needed.
 *
 * Fails with `ConfigError` as `Experiment.rows` does.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Method } from "homodistil/distill"
 * import { Experiment, RunPlan, Scale } from "homodistil/experiment"
 * import * as Scorer from "homodistil/importance"
 * const experiment = Experiment.make({
 *   name: "mine", title: "Mine", method: Method.homoDistil(), vary: { scorer: [Scorer.layer(Scorer.magnitude())] },
 *   measure: [], seeds: 3, baseline: "magnitude"
 * })
 * const scale = Scale.paper
 * const plan = Effect.runSync(
 *   RunPlan.make({ experiments: [{ experiment, seeds: [0] }], scale, teacher: Scale.teacherOf(scale), jobs: 1, rate: 1e12 })
 * )
 * assert.ok(plan.operations.student > 1e18)
 * assert.match(RunPlan.text(plan), /1 different cell/)
 * ```
 */
export const make = (o: RunPlanOptions): Effect.Effect<RunPlan, ConfigError> =>
  Effect.gen(function* () {
    const { scale, teacher, jobs, rate } = o
    const costs = new Map<string, CellCost.CellCost>()
    const costOf = (plan: DistillPlan.DistillPlan): CellCost.CellCost => {
      const key = Digest.of(Spec.toJson(DistillPlan.spec(plan)))
      const cost = costs.get(key) ?? CellCost.of(plan, teacher)
      costs.set(key, cost)
      return cost
    }
    const planned = yield* Effect.forEach(o.experiments, ({ experiment, seeds }) =>
      Effect.map(Experiment.rows(experiment, scale), (rows) => ({
        experiment,
        seeds,
        rows: rows.map((row): RowPlan => ({ row, cells: seeds.length, cost: costOf(row.plan) }))
      }))
    )
    const cells = new Map(
      planned.flatMap(({ experiment, seeds, rows }) =>
        rows.flatMap(({ row }) =>
          seeds.map((seed) => {
            const spec = specOf({ row, seed }, { experiment, scale })
            return [Cell.key(spec), { spec, cost: costOf(row.plan) }] as const
          })
        )
      )
    )
    const groups = CellGroup.of([...cells.values()], jobs).map((group) => group.map(({ cost }) => cost))
    const each = groups.map((group) => ({
      student: sum(group.map(({ student }) => student)),
      teacher: Math.max(...group.map(({ teacher }) => teacher))
    }))
    const operations = {
      student: sum(each.map(({ student }) => student)),
      teacher: sum(each.map(({ teacher }) => teacher))
    }
    const size = Parameters.count(Parameters.bert(teacher), BertConfig.axes(teacher))
    const pace = rate * efficiency(size)
    const longest = Math.max(0, ...each.map(({ student, teacher }) => student + teacher))
    return {
      ...o,
      planned,
      cells: cells.size,
      operations,
      seconds: Math.max(longest, (operations.student + operations.teacher) / jobs) / pace,
      memory: Math.max(0, ...groups.map(memoryOf)),
      teacherParameters: size
    }
  })

const prefixes = ["", "k", "M", "G", "T", "P", "E", "Z"] as const

/** A number in three digits with a prefix of the metric system. */
const metric = (value: number, unit: string): string => {
  const power = Math.min(prefixes.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(value, 1)) / 3)))
  return `${(value / 1000 ** power).toPrecision(3)} ${prefixes[power]}${unit}`
}

const gibibytes = (bytes: number): string =>
  bytes < 2 ** 30 ? `${Math.ceil(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toPrecision(3)} GiB`

const units: ReadonlyArray<readonly [seconds: number, name: string]> = [
  [31_557_600, "years"],
  [86_400, "days"],
  [3600, "hours"],
  [60, "minutes"]
]

/** A time in its largest unit, in two digits: it is no more exact. */
const time = (seconds: number): string => {
  const [size, name] = units.find(([unit]) => seconds >= 2 * unit) ?? [1, "seconds"]
  const value = seconds / size
  return `${value < 100 ? Number(value.toPrecision(2)) : Math.round(value)} ${name}`
}

const millions = (parameters: number): string => `${(parameters / 1e6).toPrecision(3)}M`

/** The widths of a student, of its first layer where layers differ. */
const widths = ({ layers, hidden, ffn }: BertConfig.BertConfig): string => `${layers}×${hidden}/${ffn[0] ?? 0}`

const columns = (lines: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const width = (i: number): number => Math.max(...lines.map((line) => (line[i] ?? "").length))
  return lines.map((line) => `  ${line.map((entry, i) => entry.padEnd(width(i))).join("  ")}`.trimEnd())
}

/** The rows of an experiment, one line each; a group's name is part of a row's. */
const rowLines = ({ experiment, rows, seeds }: RunPlan["planned"][number]): ReadonlyArray<string> => [
  `${experiment.name}: ${experiment.title}; ${rows.length} rows × ${seeds.length} seeds`,
  ...columns([
    ["row", "student", "parameters", "shapes", "student FLOPs a cell", "teacher FLOPs", "memory"],
    ...rows.map(({ row, cost }) => {
      const [first, last] = [cost.stretches.at(0), cost.stretches.at(-1)]
      const both = (of: (config: CellCost.Stretch) => string): string =>
        first === undefined || last === undefined
          ? ""
          : of(first) === of(last)
            ? of(last)
            : `${of(first)} → ${of(last)}`
      return [
        row.group === undefined ? row.label : `${row.group} · ${row.label}`,
        both(({ config }) => widths(config)),
        both(({ parameters }) => millions(parameters)),
        String(cost.stretches.length),
        metric(cost.student, ""),
        metric(cost.teacher, ""),
        gibibytes(CellCost.bytes(cost.memory))
      ]
    })
  ])
]

const needs = (memory: CellCost.Memory): string =>
  Object.entries(memory)
    .map(([name, bytes]: readonly [string, number]) => `${name} ${gibibytes(bytes)}`)
    .join(", ")

/** A plan as text for people, with what the numbers rest on. */
export const text = (plan: RunPlan): string => {
  const { scale, teacher, teacherParameters, planned, cells, operations, jobs, rate, seconds, memory } = plan
  const costs = planned.flatMap(({ rows }) => rows.map(({ cost }) => cost))
  const [first] = costs
  if (first === undefined) return `Nothing is run at ${scale.name} scale.\n`
  const largest = costs.reduce((a, b) => (CellCost.bytes(b.memory) > CellCost.bytes(a.memory) ? b : a), first)
  const { batch, steps } = first
  const total = operations.student + operations.teacher
  const share = efficiency(teacherParameters)
  return [
    `Plan at ${scale.name} scale: teacher ${widths(teacher)} (${millions(teacherParameters)}), ${steps} steps of ${batch.rows} × ${batch.length} pieces`,
    "",
    ...planned.flatMap((one) => [...rowLines(one), ""]),
    `In all ${cells} different ${cells === 1 ? "cell" : "cells"} (what experiments share is counted once), ${metric(total, "FLOP")}:`,
    `  students ${metric(operations.student, "FLOP")} forward and backward, teacher ${metric(operations.teacher, "FLOP")} forward, once for the cells of a seed that run together`,
    `Training takes about ${time(seconds)} in ${jobs} ${jobs === 1 ? "process" : "processes"}, at ${metric(rate, "FLOP/s")} of a large product here, now and in each process, of which`,
    `  a run of this size reaches some ${Math.round(100 * share)} % (small products, elementwise work, pruning). Measures come on top: at micro scale about as much again.`,
    `Memory about ${gibibytes(memory)} for the largest group of cells, besides the program's own; a cell alone ${gibibytes(CellCost.bytes(largest.memory))} (${needs(largest.memory)}).`,
    ""
  ].join("\n")
}
