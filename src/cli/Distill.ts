import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { HuggingFace, HuggingFaceWeights, HuggingFaceWidths } from "../checkpoint/index.ts"
import type { Dataset } from "../data/index.ts"
import { DistillPlan } from "../distill/index.ts"
import { CutModel, Latency } from "../evaluate/index.ts"
import { Calibration, Cell, CellRun, type Claim, RunStore, Scale } from "../experiment/index.ts"
import { Axis, BertConfig, Head } from "../model/index.ts"
import { Ranking, WidthTarget } from "../pruning/index.ts"
import { ConfigError, Digest, Spec } from "../spec/index.ts"
import * as DistillReport from "./DistillReport.ts"
import * as DistillSettings from "./DistillSettings.ts"
import { withExitCodes } from "./Failure.ts"
import * as Flags from "./Flags.ts"
import * as Progress from "./Progress.ts"
import * as Provenance from "./Provenance.ts"
import { Screen } from "./Screen.ts"
import * as Settings from "./Settings.ts"
import { Setup } from "./Setup.ts"
import * as StudentSize from "./StudentSize.ts"
import * as TeacherFolder from "./TeacherFolder.ts"
import * as Words from "./Words.ts"
import * as Yardstick from "./Yardstick.ts"

/** Pieces of the sequence that is timed. */
const timedLength = 128

/** The plan with a ranking that ends at these widths; the plan as it is where it ends there anyway. */
export const towards = (
  plan: DistillPlan.DistillPlan,
  teacher: BertConfig.BertConfig,
  widths: WidthTarget.Widths | undefined
): DistillPlan.DistillPlan => {
  if (widths === undefined) return plan
  const { final } = DistillPlan.ratio(plan)
  const targeted = { ...plan, ranking: Ranking.toWidths({ final, widths: { ...widths } }) }
  const [own, asked] = [plan, targeted].map((one) => BertConfig.axes(DistillReport.ending(one, teacher)))
  const same = own !== undefined && Axis.prunable(own).every(({ id, size }) => asked?.get(id)?.size === size)
  return same ? plan : targeted
}

/** What a run is filed under, so that it can be gone on with: all that shapes the student. */
const keyOf = (
  plan: DistillPlan.DistillPlan,
  o: { readonly seed: number; readonly teacher: Digest.Digest; readonly dataset: Dataset; readonly backend: Spec.Spec }
): Digest.Digest =>
  Digest.of({
    student: Spec.toJson(DistillPlan.spec(plan)),
    seed: o.seed,
    teacher: o.teacher,
    data: o.dataset.digest,
    backend: Spec.toJson(o.backend),
    numericVersion: Cell.numericVersion
  })

/** The claim on a run; only one process works on it. */
const claimOf = (key: Digest.Digest, store: string) =>
  Effect.gen(function* () {
    const claim: Claim | undefined = yield* (yield* RunStore).claim(key)
    return (
      claim ??
      (yield* new ConfigError({
        problems: [
          {
            key: "--store",
            value: store,
            bound: "a store in which nobody works on this very student",
            remedy: "wait for the other process, or give another folder"
          }
        ]
      }))
    )
  })

/** `homodistil distill`: one student with settings of one's own, written as a Hugging Face directory. */
export const command = Command.make(
  "distill",
  {
    out: Flag.String("out").pipe(Flag.withMetavar("DIR"), Flag.withDescription("folder to write the student to")),
    teacher: Flags.teacher,
    text: Flags.text,
    ...StudentSize.flags,
    ...DistillSettings.flags,
    length: Flags.integer("length", 64, "pieces of a row"),
    threads: Flags.threads(1),
    store: Flags.store,
    checkpointEvery: Flags.checkpointEvery,
    quiet: Flags.quiet
  },
  ({ out, quiet, teacher: folder, threads, store, checkpointEvery, text, ...o }) =>
    Effect.gen(function* () {
      const started = yield* Clock.currentTimeMillis
      const setup = yield* Setup
      const screen = yield* Screen
      const path = yield* Path.Path
      const settings = {
        plan: DistillSettings.plan(o),
        size: StudentSize.request(o),
        threads: Settings.count("--threads", threads, 1, 1, setup.cores),
        checkpointEvery: Settings.checkpointEvery(checkpointEvery)
      }
      yield* Settings.checkAll(settings)
      const files = Flags.files(text)
      const { curveRows, testRows, points } = Scale.micro
      const asked = yield* settings.plan
      const every = yield* settings.checkpointEvery
      const predicts = DistillSettings.predicts(asked)
      const teacher = yield* TeacherFolder.load(
        Option.getOrElse(folder, () => path.join(setup.root, "assets", "teacher")),
        o.length,
        { files, validation: curveRows, test: testRows },
        {
          bare: !predicts,
          needs: "the loss homodistil",
          remedy: "train one on text with homodistil adapt, or use --loss features, which needs none"
        }
      )
      if (Option.isSome(o.heads)) yield* Effect.fromResult(WidthTarget.checkHeads(teacher.model.config, o.heads.value))
      yield* HuggingFace.writable(out)
      const backend = setup.backend(threads)
      const { dataset, tokenizer, tokenizerFiles, digest } = teacher
      const model = predicts ? teacher.model : Head.remove(teacher.model)
      const say = (line: string) => (quiet ? Effect.void : screen.error(line))
      yield* Effect.gen(function* () {
        const request = yield* settings.size
        const { final } = DistillPlan.ratio(asked)
        const prunes = asked.mode.unstructured !== true && final < 1
        const size = prunes
          ? yield* StudentSize.choose(model.config, request, {
              anyWidths: o.anyWidths,
              told: (line) => say(`${line}\n`)
            })
          : { ratio: final }
        const sized = prunes ? yield* DistillSettings.plan({ ...o, ratio: Option.some(size.ratio) }) : asked
        const plan = towards(sized, model.config, size.widths)
        if (!o.anyWidths)
          yield* Effect.fromResult(HuggingFaceWidths.check(DistillReport.ending(plan, model.config), "the student"))
        yield* say(DistillReport.outline(plan, model.config))

        const materials = { teacher: model, teacherDigest: digest, dataset, backend: backend.spec }
        const claim = yield* claimOf(keyOf(plan, { ...materials, teacher: digest, seed: o.seed }), store)
        const from = yield* CellRun.beginning(claim)
        const begun = from === undefined ? {} : { from: from.state.step }
        if (!quiet) {
          const { rate } = yield* Calibration.measure
          yield* say(DistillReport.ahead(DistillReport.seconds(plan, model.config, { rate, ...begun }), begun.from))
        }
        const { distance, discrepancy, measure } = yield* predicts
          ? Yardstick.predictions(materials)
          : Yardstick.states(materials)
        const distilled = yield* Effect.scoped(
          Effect.flatMap(Progress.run(o.scorer, quiet, { distance, ...begun }), (emit) =>
            CellRun.distil(
              {
                plan,
                seed: o.seed,
                points,
                claim,
                ...every,
                discrepancy,
                ...(from === undefined ? {} : { from })
              },
              materials,
              emit
            )
          )
        )
        if (distilled.diverged !== undefined) return yield* distilled.diverged
        const cut = CutModel.of(yield* Effect.fromNullishOr(distilled.student).pipe(Effect.orDie))
        // other programs read the factor on attention scores off the widths
        const student = { ...cut, ...HuggingFaceWeights.withUsualScale(cut) }
        const measures = yield* measure(student)
        const taught = yield* measure(model)
        const [slow = Number.NaN, fast = Number.NaN] = yield* Latency.measure([model, student], { length: timedLength })
        const rows = DistillReport.comparison(
          { name: "teacher", model, measures: taught, latency: slow },
          { name: "student", model: student, measures, latency: fast },
          Math.min(timedLength, model.config.positions)
        )
        const seconds = ((yield* Clock.currentTimeMillis) - started) / 1000
        const origin = {
          command: Provenance.commandLine("distill", {
            teacher: Option.getOrUndefined(folder),
            text: files.length === 0 ? undefined : files.join(","),
            ...StudentSize.written(o),
            ...DistillSettings.written(o),
            threads
          }),
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
          provenance: Provenance.ofStudent(origin, plan, digest),
          card: {
            title: path.basename(out),
            done: [
              `A BERT made smaller by homotopic distillation: it started as its teacher and was pruned, step by step, while it was distilled on text for ${plan.training.steps} steps (${Spec.describe(plan.scorer.spec)}, ${Spec.describe(plan.ratio.spec)}).`,
              ...(predicts
                ? []
                : [
                    "It learned from its teacher's features alone, on whole text, and has no masked-language-model head. CKA and correlation compare last hidden states, and cosines of their means, on held-out text."
                  ]),
              `Made by: ${origin.command}`
            ],
            measures: rows.map(({ name, teacher: of, student: value }) => ({ name, value, teacher: of })),
            ...(Option.isSome(folder) ? { baseModel: path.basename(folder.value) } : {}),
            tags: ["distillation", "pruning"]
          }
        })
        // the student is written: what it could be gone on from is of no more use
        yield* claim.restart(`written to ${out}`)
        yield* screen.out(DistillReport.lines(rows))
        yield* screen.out(`\nWritten to ${out} in ${Words.duration(seconds)}.\n`)
      }).pipe(Effect.scoped, Effect.provide([backend.layer, setup.store(store)]))
    })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Distil one student and write it as a Hugging Face directory that transformers loads. Says first how large it will be and about how long it takes; ends with teacher and " +
        "student side by side. Interrupted, the same command goes on from the last checkpoint. The defaults are a PLATON row of Table 6 at micro scale."
    )
  ),
  Command.withShortDescription("Distil one student with settings of your own"),
  Command.withExamples([
    { command: "homodistil distill --out student", description: "HomoDistil as in Table 6, a quarter of every width" },
    {
      command:
        "homodistil distill --teacher my-bert --text corpus.jsonl.gz,more.txt --ratio .5 --steps 2000 --length 128 --learning-rate 3e-4 --out half",
      description: "Your own BERT on your own text, half as wide"
    },
    {
      command: "homodistil distill --teacher my-bert --params 14M --out small",
      description: "The widest student of at most 14 million parameters; --latency 2x: one that is twice as fast here"
    },
    {
      command: "homodistil distill --teacher my-encoder --loss features --ratio .5 --out half-encoder",
      description: "A sentence encoder, or any BERT without a masked-language-model head"
    },
    {
      command: "homodistil distill --out half --ratio .5 --scorer sensitivity --window 20",
      description: "Half the width, by sensitivity over 20 steps"
    },
    {
      command: "homodistil distill --out soft --mode regrowth --steps 1200",
      description: "Soft pruning: silenced units may come back"
    },
    {
      command: "homodistil distill --out sparse --mode unstructured --ratio .5",
      description: "The teacher's widths, half of the weights of matrices 0"
    }
  ])
)
