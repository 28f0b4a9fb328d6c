import { HuggingFaceConfig, HuggingFaceWidths, type Inspection } from "../checkpoint/index.ts"
import { BertConfig, Flops, Head, Parameters, Pooler } from "../model/index.ts"
import { Numeral } from "../report/index.ts"
import type { Json, JsonObject } from "../spec/index.ts"
import * as Columns from "./runs/Columns.ts"
import * as Words from "./Words.ts"

/** A tokenizer in figures, or why there is none. */
export type Tokenizer =
  | { readonly pieces: number; readonly lowerCase: boolean; readonly stripAccents: boolean; readonly digest: string }
  | { readonly reason: string }

/** What is told of a checkpoint besides what its headers say. */
export interface Told {
  readonly folder: string
  /** Tokens a row for which operations are counted. */
  readonly length: number
  readonly tokenizer: Tokenizer
  readonly digest?: string
}

/** The widths of a layer, and how many numbers it holds. */
export interface Layer {
  readonly ffn: number
  readonly qk: number
  readonly vo: number
  readonly parameters: number
}

/** A checkpoint in figures; sizes in bytes. */
export interface Summary extends Told {
  readonly architectures: ReadonlyArray<string>
  readonly config: BertConfig.BertConfig
  readonly parameters: {
    readonly total: number
    readonly embedding: number
    readonly encoder: number
    /** 0 where there is none. */
    readonly pooler: number
    readonly head: number
  }
  readonly layers: ReadonlyArray<Layer>
  readonly files: Inspection.Inspection["files"]
  readonly stored: Inspection.Inspection["stored"]
  /** Floating-point operations of a forward pass: of the encoder for each token, and of the head for each token that it predicts. */
  readonly flops: { readonly encoder: number; readonly head: number }
  /** Of the weights in float32, and of training by Adam: weights, gradients and two moments. */
  readonly memory: { readonly weights: number; readonly training: number }
  /** The class of transformers that loads it, or why none does. */
  readonly transformers: { readonly class: string } | { readonly reasons: ReadonlyArray<string> }
  readonly ignored: ReadonlyArray<string>
  readonly provenance?: Json
}

const transformersOf = (config: BertConfig.BertConfig): Summary["transformers"] => {
  const usual = HuggingFaceConfig.usualScale(config)
  const reasons = [
    ...HuggingFaceWidths.reasons(config),
    ...(Math.abs(config.scale / usual - 1) < 1e-9
      ? []
      : [`its factor on attention scores is ${Words.short(config.scale)}, not ${Words.short(usual)}`])
  ]
  if (reasons.length > 0) return { reasons }
  return { class: Head.present(config) ? "AutoModelForMaskedLM" : "AutoModel" }
}

/** A checkpoint in figures, from what its headers say. */
export const summary = (inspection: Inspection.Inspection, told: Told): Summary => {
  const { config, architectures, files, stored, ignored, provenance } = inspection
  const axes = BertConfig.axes(config)
  const specs = Parameters.bert(config)
  const count = (prefix: string) =>
    Parameters.count(
      specs.filter(({ name }) => name.startsWith(prefix)),
      axes
    )
  const pooler = inspection.pooler ? Pooler.count(config) : 0
  const total = count("") + pooler
  const flops = (masked: number) => Flops.forward(config, { rows: 1, length: told.length, masked })
  return {
    ...told,
    architectures,
    config,
    parameters: {
      total,
      embedding: count("bert.embeddings."),
      encoder: count("bert.encoder."),
      pooler,
      head: count("cls.")
    },
    layers: Array.from({ length: config.layers }, (_, i) => ({
      ffn: config.ffn[i] ?? 0,
      qk: config.qk[i] ?? 0,
      vo: config.vo[i] ?? 0,
      parameters: count(Parameters.inLayer(i, ""))
    })),
    files,
    stored,
    flops: { encoder: flops(0) / told.length, head: flops(1) - flops(0) },
    memory: { weights: 4 * total, training: 16 * total },
    transformers: transformersOf(config),
    ignored,
    ...(provenance === undefined ? {} : { provenance })
  }
}

const left = { name: "" } as const
const right = { name: "", side: "right" } as const

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)]

/** Text of a file's on one line, with nothing in it that a terminal would obey. */
const plain = (text: string): string =>
  text
    .replace(/\s+/gu, " ")
    .replace(/[\p{Cc}\p{Cf}]/gu, "")
    .trim()

const parameters = ({ parameters: p }: Summary): ReadonlyArray<string> =>
  Columns.lines(
    [left, right, right],
    (["embedding", "encoder", "pooler", "head", "total"] as const).flatMap((part) =>
      part === "pooler" && p.pooler === 0
        ? []
        : [[part, Numeral.plain(p[part]), `${((100 * p[part]) / p.total).toFixed(1)} %`]]
    )
  )

/** Layers that are alike stand in one line. */
const widths = ({ layers, config }: Summary): ReadonlyArray<string> => {
  const rows: Array<{ readonly layer: Layer; readonly from: number; to: number }> = []
  layers.forEach((layer, i) => {
    const last = rows.at(-1)
    if (last !== undefined && JSON.stringify(last.layer) === JSON.stringify(layer)) last.to = i
    else rows.push({ layer, from: i, to: i })
  })
  const columns = ["layer", "ffn", "qk", "vo", "a head (qk, vo)", "parameters"]
  return Columns.lines(
    columns.map((name) => ({ name, side: "right" as const })),
    rows.map(({ layer, from, to }) => [
      from === to ? String(from) : `${from}–${to}`,
      ...[layer.ffn, layer.qk, layer.vo].map(String),
      `${layer.qk / config.heads}, ${layer.vo / config.heads}`,
      Numeral.plain(layer.parameters)
    ])
  )
}

const shape = ({ config }: Summary): ReadonlyArray<string> =>
  Columns.lines(
    [left, left],
    [
      ["layers", String(config.layers)],
      ["heads", String(config.heads)],
      ["hidden", String(config.hidden)],
      ["vocabulary", Numeral.plain(config.vocabSize)],
      ["positions", String(config.positions)],
      ["segments", String(config.types)],
      ["activation", config.activation ?? "gelu"],
      ["factor on scores", Words.short(config.scale)],
      [
        "head",
        config.head === "none"
          ? "none"
          : config.decoder === "untied"
            ? "with a decoder of its own"
            : "tied to the word embedding"
      ]
    ]
  )

const files = ({ files: all, stored }: Summary): ReadonlyArray<string> => [
  ...Columns.lines(
    [left, right],
    all.map(({ name, bytes }) => [plain(name), `${Numeral.plain(bytes)} bytes`])
  ),
  Object.entries(stored)
    .map(([dtype, count]) => `${Numeral.plain(count)} numbers in ${dtype}`)
    .join(", ")
]

const tokenizer = ({ tokenizer: t, config }: Summary): ReadonlyArray<string> => {
  if ("reason" in t) return [plain(t.reason)]
  const words = [
    `${Numeral.plain(t.pieces)} pieces`,
    t.lowerCase ? "lower case" : "upper and lower case",
    t.stripAccents ? "without accents" : "with accents"
  ]
  const spare = config.vocabSize - t.pieces
  return [
    words.join(", "),
    ...(spare === 0
      ? []
      : [spare > 0 ? `${spare} ids of the model have no piece` : `${-spare} pieces have no id in the model`]),
    `digest ${t.digest}`
  ]
}

const cost = ({ flops, length, memory }: Summary): ReadonlyArray<string> =>
  Columns.lines(
    [left, left],
    [
      ["encoder", `${Words.amount(Math.round(flops.encoder))} operations a token, in rows of ${length}`],
      ...(flops.head === 0 ? [] : [["head", `${Words.amount(flops.head)} operations a predicted token`]]),
      ["weights", `${Words.amount(memory.weights)} bytes in float32`],
      ["training", `${Words.amount(memory.training)} bytes for weights, gradients and two moments, besides activations`]
    ]
  )

const loaded = ({ transformers, ignored }: Summary): ReadonlyArray<string> => [
  ...Words.wrap(
    "class" in transformers
      ? `transformers: ${transformers.class}`
      : `transformers: none, because ${transformers.reasons.join(", and ")}; homodistil export onnx takes any widths`,
    100
  ),
  ...(ignored.length === 0 ? [] : Words.wrap(`not used by homodistil: ${ignored.map(plain).join(", ")}`, 100))
]

const isObject = (value: Json): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What a model's provenance says at its first level; the rest is for `--json`. */
const provenance = ({ provenance: from }: Summary): ReadonlyArray<string> =>
  from === undefined || !isObject(from)
    ? []
    : Columns.lines(
        [left, left],
        Object.entries(from).flatMap(([key, value]) =>
          typeof value === "object" ? [] : [[plain(key), typeof value === "string" ? plain(value) : String(value)]]
        )
      )

/** A checkpoint as lines: shape, parameters, widths, files, tokenizer, cost, what loads it, and where it came from. */
export const render = (s: Summary): ReadonlyArray<string> => [
  `${s.folder}  ${s.architectures.length === 0 ? "BERT" : s.architectures.map(plain).join(", ")}, ${Words.amount(s.parameters.total)} parameters`,
  ...(s.digest === undefined ? [] : [`digest ${s.digest}`]),
  ...section("shape", shape(s)),
  ...section("parameters", parameters(s)),
  ...section("widths", widths(s)),
  ...section("files", files(s)),
  ...section("tokenizer", tokenizer(s)),
  ...section("cost", cost(s)),
  ...section("loads as", loaded(s)),
  ...section("provenance", provenance(s))
]
