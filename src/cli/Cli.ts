import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Failure from "./Failure.ts"
import * as Adapt from "./Adapt.ts"
import * as Distill from "./Distill.ts"
import * as Evaluate from "./Evaluate.ts"
import * as Export from "./Export.ts"
import * as FineTune from "./FineTune.ts"
import * as Inspect from "./Inspect.ts"
import * as Pretrain from "./Pretrain.ts"
import * as Reproduce from "./Reproduce.ts"
import * as Runs from "./Runs.ts"
import { Screen } from "./Screen.ts"
import { Setup } from "./Setup.ts"
import * as TraceRun from "./TraceRun.ts"
import * as Work from "./Work.ts"

const root = Command.make("homodistil").pipe(
  Command.withDescription(
    Failure.withExitCodes(
      "Homotopic distillation of BERT (HomoDistil, ICLR 2023): a student starts as its teacher and is pruned while it is distilled."
    )
  ),
  Command.withExamples([
    { command: "homodistil reproduce table6", description: "The paper's Table 6 at micro scale, on real text" },
    { command: "homodistil distill --out student --ratio .5", description: "A student of half the width" },
    { command: "homodistil pretrain --out teacher", description: "A teacher of your own" }
  ]),
  Command.withSubcommands([
    Reproduce.command,
    Distill.command,
    Adapt.command,
    Pretrain.command,
    Evaluate.command,
    Export.command,
    FineTune.command,
    Inspect.command,
    Runs.command,
    TraceRun.command,
    Work.command
  ])
)

/** Help and version go to standard output; a command line that cannot be parsed gives one line a problem on standard error. */
const presenter = Layer.effect(
  CliOutput.Presenter,
  Effect.map(Screen, ({ out, error }) => ({
    present: (event: CliOutput.Presenter.Event) =>
      Effect.flatMap(CliOutput.Formatter, (formatter) => {
        switch (event._tag) {
          case "InvalidInvocation":
            return error(`${Failure.invocation(event.errors, event.commandPath)}\n`)
          case "Help":
            return out(`${formatter.formatHelpDoc(event.helpDoc)}\n`)
          case "Version":
            return out(`${formatter.formatVersion(event.name, event.version)}\n`)
        }
      })
  }))
)

const config = Layer.succeed(
  CliConfig.CliConfig,
  CliConfig.make({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })
)

/**
 * Runs a command line and gives its exit code; whatever goes wrong is said on standard error.
 *
 * An interruption passes through, after a word about what is kept.
 */
export const run = (args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { version } = yield* Setup
    yield* Command.runWith(root, { version })(args)
    return Failure.exitCodes.done
  }).pipe(
    Effect.provide([presenter, config]),
    Effect.catchTag("ShowHelp", ({ errors }) =>
      Effect.succeed(errors.length === 0 ? Failure.exitCodes.done : Failure.exitCodes.refused)
    ),
    Effect.onInterrupt(() =>
      Effect.flatMap(Screen, (screen) => screen.error("stopped; what was finished before is kept\n"))
    ),
    Effect.catchCause((cause) =>
      Effect.gen(function* () {
        const { text, code } = Failure.report(cause)
        yield* (yield* Screen).error(`${text}\n`)
        return code
      })
    )
  )
