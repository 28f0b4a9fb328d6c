import * as Effect from "effect/Effect"
import { HuggingFace, HuggingFaceWeights, HuggingFaceWidths, Safetensors, WholeFolder } from "../checkpoint/index.ts"
import type { TextLabels } from "../data/index.ts"
import type { TunedModel } from "../evaluate/index.ts"
import type { BertConfig } from "../model/index.ts"
import type { Json, JsonObject } from "../spec/index.ts"

/** A fine-tuned model: encoder, pooler and head by Hugging Face's names, and what its outputs mean. */
export interface Classifier {
  readonly config: BertConfig.BertConfig
  readonly parameters: TunedModel.TunedParameters
  readonly labels: TextLabels
  readonly tokenizerFiles: HuggingFace.TokenizerFiles
  readonly provenance: Json
}

const files: ReadonlyArray<string> = [
  "config.json",
  "model.safetensors",
  "provenance.json",
  ...HuggingFace.tokenizerFileNames
]

/** What `transformers` is told of the head: the names of its classes, or that its one output is a score. */
const labelFields = (labels: TextLabels): JsonObject =>
  labels.kind === "score"
    ? { id2label: { 0: "score" }, label2id: { score: 0 }, problem_type: "regression" }
    : {
        id2label: Object.fromEntries(labels.classes.map((name, i) => [String(i), name])),
        label2id: Object.fromEntries(labels.classes.map((name, i) => [name, i])),
        problem_type: "single_label_classification"
      }

/** Whether a model of this shape can be written to a folder: to be asked before it is fine-tuned. Fails with `ConfigError` and `OutputError`. */
export const writable = (folder: string, config: BertConfig.BertConfig) =>
  Effect.andThen(Effect.fromResult(HuggingFaceWidths.check(config, "the model")), WholeFolder.writable(folder, files))

/**
 * Writes a fine-tuned model as a Hugging Face directory of a BertForSequenceClassification, which reads BERT's pooler. Fails with
 * `OutputError`.
 */
export const write = (folder: string, { config, parameters, labels, tokenizerFiles, provenance }: Classifier) => {
  const usual = HuggingFaceWeights.withUsualScale({ config, parameters })
  const json = (value: Json) => new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`)
  return WholeFolder.write(
    folder,
    {
      "config.json": json({
        ...HuggingFace.configJson({ config: usual.config, tokenizerFiles }),
        architectures: ["BertForSequenceClassification"],
        ...labelFields(labels)
      }),
      "model.safetensors": Safetensors.encodeParts(usual.parameters, { format: "pt" }),
      "provenance.json": json(provenance),
      ...tokenizerFiles
    },
    files
  )
}
