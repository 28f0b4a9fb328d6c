import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { HuggingFace, Inspection } from "../checkpoint/index.ts"
import { tokenizerOfFiles } from "../data/index.ts"
import { withExitCodes } from "./Failure.ts"
import * as InspectionView from "./InspectionView.ts"
import { Screen } from "./Screen.ts"
import * as Settings from "./Settings.ts"

/** The tokenizer of a directory in figures, or why there is none. */
const tokenizerOf = (files: HuggingFace.TokenizerFiles, folder: string): Effect.Effect<InspectionView.Tokenizer> =>
  files["tokenizer.json"] === undefined && files["vocab.txt"] === undefined
    ? Effect.succeed({ reason: "no tokenizer.json and no vocab.txt" })
    : Effect.map(Effect.result(tokenizerOfFiles(files, folder)), (made) =>
        Result.match(made, {
          onFailure: ({ message }) => ({ reason: message }),
          onSuccess: ({ vocabulary, text, digest }) => ({
            pieces: vocabulary.length,
            lowerCase: text.lowerCase,
            stripAccents: text.stripAccents,
            digest
          })
        })
      )

/** `homodistil inspect`. */
export const command = Command.make(
  "inspect",
  {
    folder: Argument.String("folder").pipe(
      Argument.withMetavar("DIR"),
      Argument.withDescription("folder of a checkpoint, a Hugging Face BERT")
    ),
    length: Flag.Int("length").pipe(
      Flag.withDescription("tokens a row for which operations are counted (default: all positions, at most 128)"),
      Flag.optional
    ),
    digest: Flag.Boolean("digest").pipe(
      Flag.withDescription("the digest of the model, too, for which all weights are read"),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("everything as JSON"), Flag.withDefault(false))
  },
  ({ folder, length: asked, digest: wanted, json }) =>
    Effect.gen(function* () {
      const inspection = yield* Inspection.read(folder, "DIR")
      const { positions } = inspection.config
      const length = yield* Settings.count(
        "--length",
        Option.getOrElse(asked, () => Math.min(128, positions)),
        Math.min(128, positions),
        1,
        positions
      )
      const tokenizer = yield* tokenizerOf(inspection.tokenizerFiles, folder)
      // what only the values show is found here, too
      const model = wanted ? yield* HuggingFace.read(folder, "DIR") : undefined
      const summary = InspectionView.summary(
        model === undefined ? inspection : { ...inspection, config: model.config, ignored: model.ignored },
        { folder, length, tokenizer, ...(model === undefined ? {} : { digest: model.digest }) }
      )
      const text = json ? JSON.stringify(summary, undefined, 2) : InspectionView.render(summary).join("\n")
      yield* (yield* Screen).out(`${text}\n`)
    })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Tell what a checkpoint is: its parameters, the widths of each layer, files, tokenizer, operations and memory, which class of " +
        "transformers loads it, and where it came from. Only headers are read, so that large checkpoints take no longer than small ones."
    )
  ),
  Command.withShortDescription("Tell what a checkpoint is"),
  Command.withExamples([
    { command: "homodistil inspect student", description: "A student's widths, size and cost" },
    { command: "homodistil inspect bert-base --length 512 --json", description: "At 512 tokens, for a program" },
    { command: "homodistil inspect teacher --digest", description: "With the digest by which its students name it" }
  ])
)
