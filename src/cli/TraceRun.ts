import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { trainingBatches } from "../data/index.ts"
import { TraceBatches, TraceRun } from "../experiment/index.ts"
import { Seed } from "../spec/index.ts"
import * as DistillSettings from "./DistillSettings.ts"
import { withExitCodes } from "./Failure.ts"
import * as Flags from "./Flags.ts"
import { Screen } from "./Screen.ts"
import * as Settings from "./Settings.ts"
import { Setup } from "./Setup.ts"
import * as TeacherFolder from "./TeacherFolder.ts"

const texts = { corpus: "corpus", padded: "padded", repeated: "repeated" } satisfies { [K in TraceBatches.Kind]: K }

/** `homodistil trace-run`: records a distillation for a program that repeats it elsewhere and compares. */
export const command = Command.make(
  "trace-run",
  {
    out: Flag.String("out").pipe(Flag.withMetavar("DIR"), Flag.withDescription("folder to write the trace to")),
    teacher: Flags.teacher,
    ...DistillSettings.flags,
    steps: Flags.integer("steps", 50, "training steps"),
    pruneEvery: Flags.integer("prune-every", 20, "steps between two prunings"),
    text: Flags.word("text", "corpus", `text of the batches: ${Object.keys(texts).join(", ")}`),
    threads: Flags.threads(2)
  },
  ({ out, teacher: folder, text, threads, ...o }) =>
    Effect.gen(function* () {
      const { cores, root, backend } = yield* Setup
      const settings = {
        plan: DistillSettings.plan(o),
        mode: Settings.check(
          "--mode",
          o.mode,
          o.mode !== "unstructured",
          "one that prunes units, which a trace tells",
          "hard"
        ),
        text: Settings.choice<TraceBatches.Kind>("--text", text, texts),
        threads: Settings.count("--threads", threads, 1, 1, cores)
      }
      yield* Settings.checkAll(settings)
      const { plan, text: kind } = yield* Effect.all(settings)
      yield* TraceRun.writable(out)
      const { rows, length, maskRate, steps } = plan.training
      const path = yield* Path.Path
      const teacher = yield* TeacherFolder.load(
        Option.getOrElse(folder, () => path.join(root, "assets", "teacher")),
        length
      )
      const { clean } = trainingBatches(teacher.dataset, { rows, length, maskRate })
      const batch = TraceBatches.of(kind, { clean, pieces: teacher.dataset, maskRate })
      const files = yield* TraceRun.record({ plan, teacher: teacher.model, seed: Seed.make(o.seed), batch }).pipe(
        Effect.provide(backend(threads).layer)
      )
      yield* TraceRun.write(out, files)
      yield* (yield* Screen).out(`${out}: ${steps} steps; python test/parity/check.py ${out}\n`)
    })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Record a distillation: weights, batches, losses, scores and prunings, so that another implementation can repeat it. " +
        "test/parity/check.py does so with PyTorch."
    )
  ),
  Command.withShortDescription("Record a distillation for the parity check"),
  Command.withExamples([
    { command: "homodistil trace-run --out runs/trace", description: "50 steps with prunings after 20 and 35" },
    {
      command: "homodistil trace-run --out runs/soft --mode masked --text padded --scorer sensitivity",
      description: "Masked, on padded rows, by sensitivity"
    }
  ])
)
