import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { HuggingFace, Onnx } from "../checkpoint/index.ts"
import { Head } from "../model/index.ts"
import type { Json } from "../spec/index.ts"
import { withExitCodes } from "./Failure.ts"
import { Screen } from "./Screen.ts"
import * as Settings from "./Settings.ts"
import { Setup } from "./Setup.ts"
import * as Words from "./Words.ts"
import * as Columns from "./runs/Columns.ts"

const tasks: { readonly [name in Onnx.Task]: Onnx.Task } = { "masked-lm": "masked-lm", features: "features" }

/** The task that is asked for, or what the model can give most of. */
const taskOf = (given: Option.Option<string>, model: Pick<HuggingFace.Checkpoint, "config">) =>
  Option.match(given, {
    onNone: (): Effect.Effect<Onnx.Task> => Effect.succeed(Head.present(model.config) ? "masked-lm" : "features"),
    onSome: (name) => Settings.choice("--task", name, tasks)
  })

/** Tokenizer files without which `@huggingface/transformers` has no tokenizer. */
const needed = ["tokenizer.json", "tokenizer_config.json"] as const

/** What is said where a model's tokenizer cannot travel with it. */
export const missingTokenizer = (files: HuggingFace.TokenizerFiles, folder: string): string => {
  const missing = needed.filter((name) => files[name] === undefined)
  return missing.length === 0
    ? ""
    : `${folder} has no ${missing.join(" and no ")}, which @huggingface/transformers needs; in Python, ` +
        "transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(other) writes both\n"
}

/** How an export came to be: the same for equal models, whatever their folders are called. */
const provenance = (
  o: { readonly task: Onnx.Task; readonly int8: boolean; readonly versions: { readonly [name: string]: string } },
  model: HuggingFace.Checkpoint
): Json => ({
  command: `homodistil export onnx --task ${o.task}${o.int8 ? " --int8" : ""}`,
  model: model.digest,
  versions: o.versions,
  ...(model.provenance === undefined ? {} : { from: model.provenance })
})

/** `homodistil export onnx`. */
const onnx = Command.make(
  "onnx",
  {
    model: Flag.String("model").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDescription("folder of the model, a Hugging Face BERT")
    ),
    out: Flag.String("out").pipe(Flag.withMetavar("DIR"), Flag.withDescription("folder to write to")),
    task: Flag.String("task").pipe(
      Flag.withMetavar("name"),
      Flag.withDescription(
        "masked-lm (output logits) or features (output last_hidden_state); default: masked-lm where the model has a head for it"
      ),
      Flag.optional
    ),
    int8: Flag.Boolean("int8").pipe(
      Flag.withDescription("write a second graph, onnx/model_quantized.onnx, of a quarter of the size"),
      Flag.withDefault(false)
    )
  },
  ({ model: folder, out, task: asked, int8 }) =>
    Effect.gen(function* () {
      const { version, versions } = yield* Setup
      const screen = yield* Screen
      if (Option.isSome(asked)) yield* Settings.choice("--task", asked.value, tasks)
      yield* Onnx.writable(out)
      const model = yield* HuggingFace.read(folder, "--model")
      const task = yield* taskOf(asked, model)
      const files = yield* Onnx.write(out, {
        ...model,
        task,
        int8,
        version,
        provenance: provenance({ task, int8, versions }, model)
      })
      yield* screen.error(missingTokenizer(model.tokenizerFiles, folder))
      const rows = files.map(({ name, bytes }) => [name, `${Words.amount(bytes)} bytes`])
      const lines = Columns.lines([{ name: "" }, { name: "", side: "right" }], rows)
      yield* screen.out(
        `${[...lines, `Written to ${out}: ${Onnx.outputName(task)}, opset ${Onnx.opset}.`].join("\n")}\n`
      )
    })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Write a model as ONNX, with batch and length left open and of any widths, in a directory that @huggingface/transformers loads in " +
        "Node; its graph runs in ONNX Runtime. Weights of --int8 are bytes, each row of a matrix on its own scale; other numbers are " +
        "quantised as they come."
    )
  ),
  Command.withShortDescription("Write a model as ONNX"),
  Command.withExamples([
    { command: "homodistil export onnx --model student --out student-onnx", description: "Logits of every position" },
    {
      command: "homodistil export onnx --model student --out encoder --task features --int8",
      description: "Hidden states, in float32 and in int8"
    }
  ])
)

/** `homodistil export`: models in the formats of other programs. */
export const command = Command.make("export").pipe(
  Command.withDescription(withExitCodes("Write a model in the format of other programs.")),
  Command.withShortDescription("Write a model in the format of other programs"),
  Command.withExamples([
    { command: "homodistil export onnx --model student --out student-onnx", description: "For ONNX Runtime, anywhere" }
  ]),
  Command.withSubcommands([onnx])
)
