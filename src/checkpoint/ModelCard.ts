import { BertConfig, type Model, Parameters, type Pooler } from "../model/index.ts"
import type { Json } from "../spec/index.ts"
import * as HuggingFaceWidths from "./HuggingFaceWidths.ts"

/** A measure of the model, and of the teacher it came from where there is one, with units. */
export interface CardMeasure {
  readonly name: string
  readonly value: string
  readonly teacher?: string
}

/** What a model card tells besides the model's shape, which it reads off the model. */
export interface Card {
  readonly title: string
  /** What was done, a paragraph each. */
  readonly done: ReadonlyArray<string>
  readonly measures?: ReadonlyArray<CardMeasure>
  /** The model on the Hub that this one was made of; anything that is no name of the Hub is left out of the front matter. */
  readonly baseModel?: string
  /** Where unknown, the card says nothing. */
  readonly license?: string
  readonly tags?: ReadonlyArray<string>
}

const hubName = /^[\w][\w.-]*(\/[\w][\w.-]*)?$/

/** Text of others' in one line of Markdown. */
const line = (text: string): string =>
  text
    .replace(/\s+/g, " ")
    .replace(/[\\`*_<>|[\]#]/g, "\\$&")
    .trim()

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const [head = [], ...rest] = rows
  return [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rest]
    .map((cells) => `| ${cells.join(" | ")} |\n`)
    .join("")
}

const frontMatter = (config: BertConfig.BertConfig, card: Card): string => {
  const field = (name: string, value: string | undefined): string =>
    value === undefined ? "" : `${name}: ${JSON.stringify(value)}\n`
  const base = card.baseModel !== undefined && hubName.test(card.baseModel) ? card.baseModel : undefined
  const tags = [...new Set(["homodistil", "bert", ...(card.tags ?? [])])].map((tag) => `- ${JSON.stringify(tag)}\n`)
  return [
    field("library_name", "transformers"),
    field("pipeline_tag", config.head === "none" ? "feature-extraction" : "fill-mask"),
    field("license", card.license),
    field("base_model", base),
    `tags:\n${tags.join("")}`
  ].join("")
}

const list = (widths: ReadonlyArray<number>): string => [...new Set(widths)].join(", ")

const shape = (config: BertConfig.BertConfig): string => {
  const parameters = Parameters.count(Parameters.bert(config), BertConfig.axes(config))
  return table([
    ["", config.head === "none" ? "BERT without a head" : "BERT for masked language modelling"],
    ["parameters", parameters.toLocaleString("en")],
    ["layers", String(config.layers)],
    ["hidden", String(config.hidden)],
    ["feed-forward", list(config.ffn)],
    ["heads", String(config.heads)],
    ["queries and keys", list(config.qk)],
    ["values", list(config.vo)],
    ["positions", String(config.positions)],
    ["vocabulary", config.vocabSize.toLocaleString("en")]
  ])
}

const use = (config: BertConfig.BertConfig, pooler: boolean): string => {
  const reasons = HuggingFaceWidths.reasons(config)
  if (reasons.length > 0)
    return `\`transformers\` cannot load this model: ${reasons.join(", and ")}. homodistil can, and exports it to ONNX.\n`
  const name = config.head === "none" ? "AutoModel" : "AutoModelForMaskedLM"
  const more = name === "AutoModel" && !pooler ? ", add_pooling_layer=False" : ""
  const code = `\`\`\`python\nfrom transformers import ${name}\n\nmodel = ${name}.from_pretrained("this folder"${more})\n\`\`\`\n`
  return pooler
    ? code
    : `${code}\nThe model has no pooler: \`AutoModel\` would draw one at random, so read hidden states and not its \`pooler_output\`.\n`
}

/**
 * The text of a model card, as Hugging Face expects it: front matter, what was done, the model's shape, its measures beside the teacher's,
 * how to load it, and its provenance.
 *
 * @example
 * ```ts
 * import { ModelCard } from "homodistil/checkpoint"
 * import { BertConfig } from "homodistil/model"
 * const text = ModelCard.text({ config: BertConfig.micro }, { title: "A small BERT", done: ["Trained on Brown."] })
 * assert.match(text, /^---\nlibrary_name: "transformers"\npipeline_tag: "fill-mask"\ntags:\n/)
 * assert.match(text, /\| parameters \| 1,346,944 \|/)
 * ```
 */
export const text = (
  {
    config,
    pooler,
    provenance
  }: { readonly config: Model.Model["config"]; readonly pooler?: Pooler.Pooler; readonly provenance?: Json },
  card: Card
): string => {
  const measures = card.measures ?? []
  const compared = measures.some(({ teacher }) => teacher !== undefined)
  const rows = measures.map(({ name, value, teacher }) => [name, value, ...(compared ? [teacher ?? ""] : [])].map(line))
  return [
    `---\n${frontMatter(config, card)}---\n`,
    `# ${line(card.title)}\n`,
    ...card.done.map((paragraph) => `${line(paragraph)}\n`),
    `## Shape\n\n${shape(config)}`,
    ...(rows.length === 0
      ? []
      : [`## Measures\n\n${table([["", "this model", ...(compared ? ["its teacher"] : [])], ...rows])}`]),
    `## Use\n\n${use(config, pooler !== undefined)}`,
    ...(provenance === undefined
      ? []
      : [`## Provenance\n\n\`\`\`json\n${JSON.stringify(provenance, undefined, 2)}\n\`\`\`\n`])
  ].join("\n")
}
