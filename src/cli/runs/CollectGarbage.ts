import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { RunStore } from "../../experiment/index.ts"
import { withExitCodes } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import { Screen } from "../Screen.ts"
import { Setup } from "../Setup.ts"
import * as Words from "../Words.ts"

/** What went, or would go, as lines. */
export const render = (gone: ReadonlyArray<string>, dryRun: boolean): ReadonlyArray<string> => [
  ...gone,
  gone.length === 0 ? "nothing to remove" : `${Words.counted(gone.length, "object")} ${dryRun ? "would go" : "removed"}`
]

/** `homodistil runs gc`. */
export const command = Command.make(
  "gc",
  {
    store: Flags.store,
    begun: Flag.Boolean("begun").pipe(
      Flag.withDescription("also cells that were begun and that nobody works on, with their checkpoints"),
      Flag.withDefault(false)
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("say what would go, and remove nothing"),
      Flag.withDefault(false)
    )
  },
  ({ store: folder, begun, dryRun }) =>
    Effect.gen(function* () {
      const { store } = yield* Setup
      const gone = yield* Effect.flatMap(RunStore, ({ collect }) => collect({ begun, dryRun })).pipe(
        Effect.provide(store(folder))
      )
      yield* (yield* Screen).out(`${render(gone, dryRun).join("\n")}\n`)
    })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Remove what nothing needs: what processes that were killed left half-written or locked, and checkpoints of finished cells. " +
        "Finished cells stay, and so do cells that somebody works on."
    )
  ),
  Command.withShortDescription("Remove what nothing needs"),
  Command.withExamples([
    { command: "homodistil runs gc --dry-run", description: "What would go" },
    { command: "homodistil runs gc --begun", description: "Also give up what was begun and not finished" }
  ])
)
