import * as Effect from "effect/Effect"
import { DistillPlan } from "../distill/index.ts"
import { BertConfig, Parameters } from "../model/index.ts"
import { type ConfigError, Digest, Spec } from "../spec/index.ts"
import * as CellCost from "./CellCost.ts"
import * as CellGroup from "./CellGroup.ts"
import * as CellWork from "./CellWork.ts"
import type * as ExperimentRows from "./ExperimentRows.ts"
import * as ProcessMemory from "./ProcessMemory.ts"
import * as Runner from "./Runner.ts"
import type * as Scale from "./Scale.ts"

/** What a plan is made from. */
export interface RunPlanOptions {
  readonly experiments: ReadonlyArray<Runner.SeededExperiment>
  readonly scale: Scale.Scale
  /** The shape of the teacher. */
  readonly teacher: BertConfig.BertConfig
  /** Processes that run cells at the same time. */
  readonly jobs: number
  /** Floating-point operations of large matrix products that one such process does in a second, as `Calibration.measure` gives them. */
  readonly rate: number
  /** The keys of cells that need not be run, and what the cells are run on, from which they have their keys; none are kept unless given. */
  readonly kept?: { readonly keys: ReadonlySet<string>; readonly materials: Runner.Named }
}

/** What the cells of one row cost, each. */
export interface RowPlan {
  readonly row: ExperimentRows.Row
  readonly cells: number
  readonly cost: CellCost.CellCost
}

/** What experiments cost, before anything runs. */
export interface RunPlan extends RunPlanOptions {
  readonly planned: ReadonlyArray<Runner.SeededExperiment & { readonly rows: ReadonlyArray<RowPlan> }>
  /** Different cells of all experiments; those that several have are counted once. */
  readonly cells: number
  /** Those of them that need not be run: nothing else here counts them. */
  readonly done: number
  /** Of all cells to run: the students', the teacher's, whose forward passes are shared by the cells of a group, and the measures'. */
  readonly operations: { readonly student: number; readonly teacher: number; readonly measures: number }
  /** Operations of a large product that take as long as all of it. */
  readonly work: number
  /** Seconds until the last cell is finished, its `jobs` always busy. */
  readonly seconds: number
  /** Of the process that needs most. */
  readonly memory: ProcessMemory.ProcessMemory
  readonly teacherParameters: number
}

const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)

/** Cells have keys of their own before teacher and data are known. */
const planned: Runner.Named = {
  teacherDigest: Digest.of("planned"),
  dataset: { spec: Spec.make("planned") },
  backend: Spec.make("planned")
}

/**
 * What experiments cost at a scale; nothing is run, and neither weights nor data are needed.
 *
 * Fails with `ConfigError` as `ExperimentRows.of` does.
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
    const { scale, teacher, jobs, rate, kept } = o
    const costOf = CellCost.under(teacher)
    const all = yield* Runner.planAll({ ...o, materials: kept?.materials ?? planned })
    const missing = all.cells.filter(({ key }) => kept?.keys.has(key) !== true)
    const groups = CellGroup.of(missing, jobs).map((group) => group.map(({ spec }) => costOf(spec)))
    const size = Parameters.count(Parameters.bert(teacher), BertConfig.axes(teacher))
    const works = groups.map((group) => sum(CellWork.of(group, size).map(({ total }) => total)))
    const each = groups.flat()
    const memories = groups.map((group) => ProcessMemory.of(group, teacher, scale))
    return {
      ...o,
      planned: all.planned.map(({ experiment, seeds, cells }) => ({
        experiment,
        seeds,
        rows: [...Map.groupBy(cells, ({ row }) => row)].map(([row, [first]]): RowPlan => ({
          row,
          cells: seeds.length,
          cost: first === undefined ? CellCost.of(row.plan, teacher) : costOf(first.spec)
        }))
      })),
      cells: all.cells.length,
      done: all.cells.length - missing.length,
      operations: {
        student: sum(each.map(({ student }) => student)),
        teacher: sum(groups.map((group) => Math.max(...group.map((cost) => cost.teacher)))),
        measures: sum(each.map(({ measures }) => measures))
      },
      work: sum(works),
      seconds: Math.max(0, ...works, sum(works) / jobs) / rate,
      memory: memories.reduce(
        (most, memory) => (ProcessMemory.bytes(memory) > ProcessMemory.bytes(most) ? memory : most),
        ProcessMemory.of([], teacher, scale)
      ),
      teacherParameters: size
    }
  })

const prefixes = ["", "k", "M", "G", "T", "P", "E", "Z"] as const

/** A number in three digits with a prefix of the metric system. */
const metric = (value: number, unit: string): string => {
  const power = Math.min(prefixes.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(value, 1)) / 3)))
  return `${(value / 1000 ** power).toPrecision(3)} ${prefixes[power]}${unit}`
}

const gibibytes = (bytes: number): string => {
  const value = bytes / 2 ** 30
  return value < 1
    ? `${Math.ceil(bytes / 2 ** 20)} MiB`
    : `${value < 100 ? value.toPrecision(3) : Math.round(value)} GiB`
}

const units: ReadonlyArray<readonly [seconds: number, name: string]> = [
  [31_557_600, "years"],
  [86_400, "days"],
  [3600, "hours"],
  [60, "minutes"]
]

/**
 * A time that was estimated, in its largest unit, in two digits: it is no more exact.
 *
 * @example
 * ```ts
 * import { RunPlan } from "homodistil/experiment"
 * assert.deepEqual([3.14159, 95, 9000].map(RunPlan.time), ["3.1 seconds", "95 seconds", "2.5 hours"])
 * ```
 */
export const time = (seconds: number): string => {
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

/** The highest learning rate of a run. */
const peakOf = (plan: DistillPlan.DistillPlan): string => {
  const { at } = DistillPlan.learningRate(plan)
  let peak = 0
  for (let step = 0; step < plan.training.steps; step++) peak = Math.max(peak, at(step))
  return Number(peak.toPrecision(3)).toExponential()
}

/** The rows of an experiment, one line each; a group's name is part of a row's. */
const rowLines = (
  { teacher, scale }: RunPlan,
  { experiment, rows, seeds }: RunPlan["planned"][number]
): ReadonlyArray<string> => [
  `${experiment.name}: ${experiment.title}; ${rows.length} rows × ${seeds.length} seeds`,
  ...columns([
    [
      "row",
      "student",
      "parameters",
      "shapes",
      "learning rate",
      "student FLOPs a cell",
      "teacher FLOPs",
      "measures",
      "memory alone"
    ],
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
        peakOf(row.plan),
        metric(cost.student, ""),
        metric(cost.teacher, ""),
        metric(cost.measures, ""),
        gibibytes(ProcessMemory.bytes(ProcessMemory.of([cost], teacher, scale)))
      ]
    })
  ])
]

const parts = (memory: ProcessMemory.ProcessMemory): string => {
  const list: ReadonlyArray<readonly [name: string, bytes: number]> = [
    ["the program itself", memory.program],
    ["the teacher", memory.teacher],
    ["its answers on held-out rows", memory.references],
    ["students with their moments and scores", memory.students],
    ["gradients and activations", memory.step],
    ["left over from larger shapes", memory.outgrown],
    ["a held-out batch", memory.heldOut]
  ]
  return list.map(([name, bytes]) => `${name} ${gibibytes(bytes)}`).join(", ")
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

/** A plan as text for people, with what the numbers rest on. */
export const text = (plan: RunPlan): string => {
  const { scale, teacher, teacherParameters, planned, cells, done, operations, work, jobs, rate, seconds, memory } =
    plan
  // a row that nothing is trained for does not tell how long the others train
  const costs = planned.flatMap(({ rows }) => rows.map(({ cost }) => cost))
  const first = costs.find(({ steps }) => steps > 0) ?? costs[0]
  if (first === undefined) return `Nothing is run at ${scale.name} scale.\n`
  const { batch, steps } = first
  const { student, teacher: taught, measures } = operations
  const total = student + taught + measures
  const each = ProcessMemory.bytes(memory)
  const kept =
    plan.kept === undefined
      ? ""
      : done === 0
        ? ", none of them kept"
        : `, ${done} of ${cells} kept and not counted below`
  const head = [
    `Plan at ${scale.name} scale: teacher ${widths(teacher)} (${millions(teacherParameters)}), ${steps} steps of ${batch.rows} × ${batch.length} pieces`,
    "",
    ...planned.flatMap((one) => [...rowLines(plan, one), ""]),
    `In all ${counted(cells, "different cell", "different cells")} (what experiments share is counted once)${kept}`
  ]
  if (cells === done) return [...head, "Nothing is left to run.", ""].join("\n")
  return [
    `${head.join("\n")}: ${metric(total, "FLOP")}`,
    `  students ${metric(student, "FLOP")} forward and backward, teacher ${metric(taught, "FLOP")} forward, once for the cells of a seed that run together, measures ${metric(measures, "FLOP")}`,
    `Time about ${time(seconds)} in ${counted(jobs, "process", "processes")}, measures included, at ${metric(rate, "FLOP/s")} of a large product here, now and in each process,`,
    `  of which this reaches some ${Math.round((100 * total) / work)} % (small products, elementwise work, pruning: the less the narrower a student is); good to a factor of 2.`,
    `Memory up to ${gibibytes(each)} in each process that runs cells (${parts(memory)})${jobs === 1 ? "." : `; ${gibibytes(jobs * each + ProcessMemory.starter)} in all, with the process that starts them.`}`,
    ""
  ].join("\n")
}
