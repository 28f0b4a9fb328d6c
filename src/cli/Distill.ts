import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { HuggingFace, HuggingFaceWeights } from "../checkpoint/index.ts"
import type { DistillPlan } from "../distill/index.ts"
import { CutModel, HeldOut } from "../evaluate/index.ts"
import { CellRun, Laboratory, Scale } from "../experiment/index.ts"
import { Axis, BertConfig, Model, Parameters } from "../model/index.ts"
import { Padding } from "../report/index.ts"
import { Spec } from "../spec/index.ts"
import * as DistillSettings from "./DistillSettings.ts"
import { withExitCodes } from "./Failure.ts"
import * as Flags from "./Flags.ts"
import * as Progress from "./Progress.ts"
import * as Provenance from "./Provenance.ts"
import * as RunView from "./RunView.ts"
import { Screen } from "./Screen.ts"
import * as Settings from "./Settings.ts"
import { Setup } from "./Setup.ts"
import * as TeacherFolder from "./TeacherFolder.ts"
import * as Words from "./Words.ts"

const sizes = (axes: Axis.Axes): string =>
  RunView.widths(Object.fromEntries(Axis.prunable(axes).map(({ id, size }) => [id, size])), [
    "hidden",
    "ffn",
    "qk",
    "vo"
  ])

/** What is about to happen: the components, and the widths and parameters at the start and the end. */
export const outline = (plan: DistillPlan.DistillPlan, config: BertConfig.BertConfig): string => {
  const original = BertConfig.axes(config)
  const { final } = plan.ratio.over(plan.training.steps)
  const small = Axis.resize(original, plan.ranking.widths({ original, current: original, ratio: final }))
  const specs = Parameters.bert(config)
  const line = (name: string, axes: Axis.Axes) =>
    `${name} ${sizes(axes)}: ${Words.amount(Parameters.count(specs, axes))} parameters`
  const components = [plan.scorer, plan.ratio, plan.mode].map(({ spec }) => Spec.describe(spec))
  return `${components.join(", ")}\n${line("from", original)}\n${line("to  ", small)}\n`
}

/** Teacher and student side by side. */
export const comparison = (
  rows: ReadonlyArray<{
    readonly name: string
    readonly model: Model.Model
    readonly measures: HeldOut.HeldOutMeasures
  }>
): string => {
  const table = [
    ["", "parameters", "MLM loss", "MLM accuracy", "discrepancy"],
    ...rows.map(({ name, model, measures }) => [
      name,
      Words.amount(Model.size(model)),
      `${measures.loss.toFixed(3)} nats`,
      `${(100 * measures.accuracy).toFixed(1)} %`,
      `${measures.discrepancy.toFixed(3)} nats`
    ])
  ]
  const widest = (column: number) => Math.max(...table.map((row) => Padding.length(row[column] ?? "")))
  return table
    .map((row) => `${row.map((text, i) => (i === 0 ? Padding.end : Padding.start)(text, widest(i))).join("  ")}\n`)
    .join("")
}

/** `homodistil distill`: one student with settings of one's own, written as a Hugging Face directory. */
export const command = Command.make(
  "distill",
  {
    out: Flag.String("out").pipe(Flag.withMetavar("DIR"), Flag.withDescription("folder to write the student to")),
    teacher: Flags.teacher,
    ...DistillSettings.flags,
    threads: Flags.threads(1),
    quiet: Flags.quiet
  },
  ({ out, quiet, teacher: folder, threads, ...o }) =>
    Effect.gen(function* () {
      const started = yield* Clock.currentTimeMillis
      const setup = yield* Setup
      const screen = yield* Screen
      const path = yield* Path.Path
      const settings = {
        plan: DistillSettings.plan(o),
        threads: Settings.count("--threads", threads, 1, 1, setup.cores)
      }
      yield* Settings.checkAll(settings)
      const { plan } = yield* Effect.all(settings)
      const teacher = yield* TeacherFolder.load(
        Option.getOrElse(folder, () => path.join(setup.root, "assets", "teacher")),
        plan.training.length
      )
      yield* HuggingFace.writable(out)
      if (!quiet) yield* screen.error(outline(plan, teacher.model.config))
      const backend = setup.backend(threads)
      const { model, dataset, tokenizer, tokenizerFiles, digest } = teacher
      yield* Effect.gen(function* () {
        const materials = { teacher: model, teacherDigest: digest, dataset, backend: backend.spec }
        const laboratory = yield* Laboratory.make({ ...materials, scale: Scale.micro })
        const distilled = yield* Effect.scoped(
          Effect.flatMap(Progress.run(o.scorer, quiet), (emit) =>
            CellRun.distil({ plan, seed: o.seed, points: Scale.micro.points }, laboratory, emit)
          )
        )
        if (distilled.diverged !== undefined) return yield* distilled.diverged
        const cut = CutModel.of(yield* Effect.fromNullishOr(distilled.student).pipe(Effect.orDie))
        // other programs read the factor on attention scores off the widths
        const student = HuggingFaceWeights.withUsualScale(cut)
        const measures = yield* HeldOut.measure(student, laboratory.test)
        const seconds = ((yield* Clock.currentTimeMillis) - started) / 1000
        const command = Provenance.commandLine("distill", { ...DistillSettings.written(o), threads })
        const origin = {
          command,
          seed: o.seed,
          dataset,
          tokenizer,
          heldOut: measures,
          backend: backend.spec,
          versions: setup.versions,
          seconds
        }
        yield* HuggingFace.write(out, {
          ...student,
          tokenizerFiles,
          provenance: Provenance.ofStudent(origin, plan, digest)
        })
        const taught = yield* HeldOut.measure(model, laboratory.test)
        yield* screen.out(
          comparison([
            { name: "teacher", model, measures: taught },
            { name: "student", model: student, measures }
          ])
        )
        yield* screen.out(`\nWritten to ${out} in ${Words.duration(seconds)}.\n`)
      }).pipe(Effect.scoped, Effect.provide(backend.layer))
    })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Distil one student with your own settings and write it as a Hugging Face directory. The defaults are a PLATON row of " +
        `Table 6 at micro scale.`
    )
  ),
  Command.withShortDescription("Distil one student with settings of your own"),
  Command.withExamples([
    { command: "homodistil distill --out student", description: "HomoDistil as in Table 6, a quarter of every width" },
    {
      command: "homodistil distill --out half --ratio .5 --scorer sensitivity --window 20",
      description: "Half the width, by sensitivity over 20 steps"
    },
    {
      command: "homodistil distill --out soft --mode regrowth --steps 1200",
      description: "Soft pruning: silenced units may come back"
    }
  ])
)
