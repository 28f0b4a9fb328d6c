import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import type { Backend, CompileError, ExecutionError } from "../backend/index.ts"
import { type Dataset, heldOutBatches, loadTexts, type MaskedBatch, type Tokenizer } from "../data/index.ts"
import { HeldOut, Latency, Similarity } from "../evaluate/index.ts"
import { BertConfig, Flops, Head, Model, Parameters } from "../model/index.ts"
import { ConfigError, type Digest, type JsonObject } from "../spec/index.ts"
import * as DistillReport from "./DistillReport.ts"
import { withExitCodes } from "./Failure.ts"
import * as Flags from "./Flags.ts"
import * as ModelFolder from "./ModelFolder.ts"
import { Screen } from "./Screen.ts"
import * as Settings from "./Settings.ts"
import { Setup } from "./Setup.ts"
import * as Columns from "./runs/Columns.ts"

const defaults = { rows: 1024, length: 64, timed: 128 }

/** Rows of a batch. */
const batch = 128

const flags = {
  model: Flag.String("model").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription(
      "Hugging Face directory of a BERT; one without a masked-language-model head is measured beside a teacher"
    )
  ),
  teacher: Flag.String("teacher").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("folder of a model of the same vocabulary to compare with"),
    Flag.optional
  ),
  text: Flags.text,
  rows: Flags.integer("rows", defaults.rows, "held-out rows that are measured"),
  length: Flags.integer("length", defaults.length, "pieces of a row"),
  threads: Flags.threads(1),
  json: Flag.Boolean("json").pipe(Flag.withDescription("everything as JSON"), Flag.withDefault(false))
}

/** A model that is measured: the setting that names it, and its folder. */
interface Named {
  readonly key: string
  readonly folder: string
  readonly model: Model.Model
  readonly digest: Digest.Digest
  readonly tokenizer: Tokenizer
}

/** A model that has enough positions. Fails as reading does, and with `ConfigError`. */
const read = Effect.fnUntraced(function* (key: string, folder: string, length: number) {
  const { model, digest, tokenizer } = yield* ModelFolder.read(folder, key)
  const { positions } = model.config
  if (positions < length)
    return yield* new ConfigError({
      problems: [
        {
          key: "--length",
          value: String(length),
          bound: `at most ${positions}, the positions of ${key} ${folder}`,
          remedy: `use for example --length ${positions}`
        }
      ]
    })
  const named: Named = { key, folder, model, digest, tokenizer }
  return named
})

/** Predictions can be compared where they are over the same pieces. */
const comparable = (model: Named, teacher: Named): Effect.Effect<void, ConfigError> =>
  model.tokenizer.digest === teacher.tokenizer.digest && model.model.config.vocabSize === teacher.model.config.vocabSize
    ? Effect.void
    : new ConfigError({
        problems: [
          {
            key: teacher.key,
            value: teacher.folder,
            bound: `a model with the vocabulary of ${model.folder}`,
            remedy: "give the teacher that the student was distilled from"
          }
        ]
      })

/** What is measured on: test rows of Brown, or of the user's text. */
const textOf = (
  names: ReadonlyArray<string>,
  tokenizer: Tokenizer,
  { rows, length }: { readonly rows: number; readonly length: number }
) => loadTexts({ names, tokenizer, needs: { length, heldOutLength: length, validation: 0, test: rows } })

const batchesOf = (
  dataset: Dataset,
  { rows, length, whole }: { readonly rows: number; readonly length: number; readonly whole: boolean }
) =>
  Settings.attempt({ count: ["--rows", defaults.rows] }, () =>
    heldOutBatches(dataset, {
      split: "test",
      count: rows,
      rows: Math.min(rows, batch),
      length,
      ...(whole ? { maskRate: 0 } : {})
    })
  )

/** What is measured of a model: its predictions, and how far they are from the teacher's; states where one of the two has no predictions. */
const measurer = Effect.fnUntraced(function* (
  teacher: Model.Model | undefined,
  batches: ReadonlyArray<MaskedBatch>,
  whole: boolean
) {
  if (teacher !== undefined && whole) {
    const reference = yield* Similarity.reference(teacher, batches)
    return (model: Model.Model): Measuring => Similarity.measure(model, reference)
  }
  const reference = teacher === undefined ? HeldOut.withoutTeacher(batches) : yield* HeldOut.reference(teacher, batches)
  return (model: Model.Model): Measuring => HeldOut.measure(model, reference)
})

type Measuring = Effect.Effect<DistillReport.Measured, CompileError | ExecutionError, Backend>

const alike = ({ states, sentences, cosine }: Similarity.SimilarityMeasures): JsonObject => ({
  cka: states,
  correlation: sentences,
  ...(cosine === undefined ? {} : { cosine })
})

/** A model as `--json` gives it. */
const asJson = ({ folder, digest }: Named, { model, measures, latency }: DistillReport.Compared, timed: number) => {
  const { config } = model
  const json: JsonObject = {
    folder,
    digest,
    parameters: Model.size(model),
    bytes: 4 * Parameters.count(Parameters.bert(config), BertConfig.axes(config)),
    flops: Flops.forward(config, { rows: 1, length: timed, masked: 0 }),
    milliseconds: latency,
    ...("loss" in measures ? { loss: measures.loss, accuracy: measures.accuracy } : alike(measures))
  }
  return json
}

/** `homodistil evaluate`: a model's held-out loss, size and time, alone or beside a teacher. */
export const command = Command.make("evaluate", flags, ({ model: folder, teacher: teacherFolder, json, text, ...o }) =>
  Effect.gen(function* () {
    const setup = yield* Setup
    const screen = yield* Screen
    yield* Settings.checkAll({
      rows: Settings.check(
        "--rows",
        o.rows,
        Number.isInteger(o.rows) && o.rows > 0 && (o.rows <= batch || o.rows % batch === 0),
        `a whole number from 1 to ${batch}, or a multiple of ${batch}`,
        defaults.rows
      ),
      length: Settings.count("--length", o.length, defaults.length, 8, 512),
      threads: Settings.count("--threads", o.threads, 1, 1, setup.cores)
    })
    const own = yield* read("--model", folder, o.length)
    const teacher = Option.isNone(teacherFolder) ? undefined : yield* read("--teacher", teacherFolder.value, o.length)
    if (teacher === undefined)
      yield* Effect.fromResult(
        Head.check(
          own.model.config,
          "masked-language-model loss",
          "--model",
          folder,
          "train one on text first with homodistil adapt, or give --teacher to compare their hidden states"
        )
      )
    else yield* comparable(own, teacher)
    const whole = [own, teacher].some((named) => named !== undefined && !Head.present(named.model.config))
    const dataset = yield* textOf(Flags.files(text), own.tokenizer, o)
    const { batches } = yield* batchesOf(dataset, { ...o, whole })
    const backend = setup.backend(o.threads)
    const models = [own, ...(teacher === undefined ? [] : [teacher])].map((named) => named.model)
    const timed = Math.min(defaults.timed, ...models.map(({ config }) => config.positions))

    yield* Effect.gen(function* () {
      const measure = yield* measurer(teacher?.model, batches, whole)
      const measures = yield* measure(own.model)
      const taught = teacher === undefined ? measures : yield* measure(teacher.model)
      const [latency = Number.NaN, slow = latency] = yield* Latency.measure(models, { length: timed })
      const model = { name: "model", model: own.model, measures, latency }
      const other = { name: "teacher", model: teacher?.model ?? own.model, measures: taught, latency: slow }
      if (json) {
        const summary: JsonObject = {
          rows: o.rows,
          length: o.length,
          masked: "loss" in measures ? measures.tokens : 0,
          data: dataset.digest,
          timed,
          model: {
            ...asJson(own, model, timed),
            ...(teacher === undefined || !("loss" in measures) ? {} : { discrepancy: measures.discrepancy })
          },
          ...(teacher === undefined ? {} : { teacher: asJson(teacher, other, timed) })
        }
        return yield* screen.out(`${JSON.stringify(summary, undefined, 2)}\n`)
      }
      const rows = DistillReport.comparison(other, model, timed)
      const lines =
        teacher === undefined
          ? Columns.lines(
              [{ name: "" }, { name: "", side: "right" }],
              // what only a comparison has is left out
              rows
                .filter(({ name }) => !/^(speed-up|discrepancy)/.test(name))
                .map(({ name, student }) => [name, student])
            )
          : Columns.lines(
              [{ name: "" }, { name: "teacher", side: "right" }, { name: "model", side: "right" }],
              rows.map(({ name, teacher: of, student }) => [name, of, student])
            )
      yield* screen.out([...lines, ""].join("\n"))
    }).pipe(Effect.scoped, Effect.provide(backend.layer))
  })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Measure a model: its masked-language-model loss and accuracy on held-out text, its size, and the time of a sequence on this machine; with " +
        "--teacher both side by side, and how far its predictions are from the teacher's, or how alike their hidden states are where one of them has no " +
        "masked-language-model head. The text is the Brown corpus unless you give files of your own, beside it or alone."
    )
  ),
  Command.withShortDescription("Measure a model, alone or beside its teacher"),
  Command.withExamples([
    { command: "homodistil evaluate --model student", description: "On the Brown corpus's test part" },
    {
      command: "homodistil evaluate --model half --teacher my-bert --text corpus.jsonl.gz --length 128",
      description: "Beside its teacher, on your own text"
    },
    { command: "homodistil evaluate --model half --teacher my-bert --json", description: "For a program" }
  ])
)
