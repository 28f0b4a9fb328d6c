import { Axis, BertConfig, Parameters } from "../model/index.ts"
import { Ranking } from "../pruning/index.ts"

/** Which teacher a model belongs to: the paper's BERT-base, one of MiniLM's size, or the micro teacher. */
export type Family = "paper" | "minilm" | "micro"

/** One model of Table 1. */
export interface Architecture {
  readonly model: string
  readonly family: Family
  readonly role: "teacher" | "student"
  /** The share of the teacher's units that remains on every axis; 1 for a teacher. */
  readonly ratio: number
  readonly config: BertConfig.BertConfig
  readonly layers: number
  readonly heads: number
  readonly hidden: number
  readonly ffn: number
  /** The query and key width, and the value and output width of a layer, all heads together. */
  readonly qk: number
  readonly vo: number
  /** Counted from the built model. */
  readonly parameters: number
  /** Of these, the embedding tables with their LayerNorm, and the masked-language-model head. */
  readonly embedding: number
  readonly head: number
  /** What the paper says, in millions. */
  readonly stated?: number
}

/** BERT-base, the paper's teacher: 12 layers of 768/3072 over 30,522 pieces and 512 positions. */
export const bertBase: BertConfig.BertConfig = BertConfig.uniform({
  vocabSize: 30_522,
  positions: 512,
  layers: 12,
  heads: 12,
  hidden: 768,
  ffn: 3072
})

/** A teacher of the size of MiniLM-L6-H384: 6 layers of 384/1536 over the same pieces and positions. */
export const miniLm: BertConfig.BertConfig = BertConfig.uniform({
  vocabSize: 30_522,
  positions: 512,
  layers: 6,
  heads: 12,
  hidden: 384,
  ffn: 1536
})

/**
 * The configuration that is left of a teacher when this share of the units of every axis remains: what a run ends with.
 *
 * @example
 * ```ts
 * import { Architecture } from "homodistil/experiment"
 * const { hidden, ffn, qk } = Architecture.student(Architecture.bertBase, 256 / 768)
 * // 64 units of a head become 21, in 12 heads
 * assert.deepEqual([hidden, ffn[0], qk[0]], [256, 1024, 252])
 * ```
 */
export const student = (
  teacher: BertConfig.BertConfig,
  ratio: number,
  ranking: Ranking.Ranking = Ranking.local()
): BertConfig.BertConfig => {
  const axes = BertConfig.axes(teacher)
  return BertConfig.fromAxes(teacher, Axis.resize(axes, ranking.widths({ original: axes, current: axes, ratio })))
}

const row = (
  o: Pick<Architecture, "model" | "family" | "role" | "ratio" | "config"> & { readonly stated?: number }
): Architecture => {
  const { config } = o
  const specs = Parameters.bert(config)
  const axes = BertConfig.axes(config)
  const count = (part: string): number =>
    Parameters.count(
      specs.filter(({ name }) => name.startsWith(part)),
      axes
    )
  return {
    ...o,
    layers: config.layers,
    heads: config.heads,
    hidden: config.hidden,
    ffn: config.ffn[0] ?? 0,
    qk: config.qk[0] ?? 0,
    vo: config.vo[0] ?? 0,
    parameters: Parameters.count(specs, axes),
    embedding: count("bert.embeddings."),
    head: count("cls.")
  }
}

/** A teacher, and its students by the share that remains. */
const family = (
  name: Family,
  model: string,
  config: BertConfig.BertConfig,
  students: ReadonlyArray<{ readonly model: string; readonly ratio: number; readonly stated?: number }>,
  stated?: number
): ReadonlyArray<Architecture> => [
  row({ model, family: name, role: "teacher", ratio: 1, config, ...(stated === undefined ? {} : { stated }) }),
  ...students.map((one) => row({ ...one, family: name, role: "student", config: student(config, one.ratio) }))
]

const shares = (shown: ReadonlyArray<number>) =>
  shown.map((ratio) => ({ model: `student, ${Math.round(100 * ratio)} %`, ratio }))

/**
 * The models of Table 1: the paper's teacher and students, those of a teacher of MiniLM's size, and those of the micro teacher. Parameters
 * are counted from the built models; `stated` is the paper's number (paper, Table 1 and §6).
 *
 * @example
 * ```ts
 * import { Architecture } from "homodistil/experiment"
 * const { parameters, hidden, ffn } = Architecture.rows.find(({ model }) => model === "HomoBERT-base") ?? { parameters: 0 }
 * assert.deepEqual([parameters, hidden, ffn], [66_107_514, 576, 2304])
 * ```
 */
export const rows: ReadonlyArray<Architecture> = [
  ...family(
    "paper",
    "BERT-base",
    bertBase,
    [
      { model: "HomoBERT-base", ratio: 576 / 768, stated: 65.4 },
      { model: "HomoBERT-small", ratio: 256 / 768, stated: 17.3 },
      { model: "HomoBERT-xsmall", ratio: 240 / 768, stated: 15.6 },
      { model: "HomoBERT-tiny", ratio: 224 / 768, stated: 14.1 }
    ],
    109
  ),
  ...family("minilm", "MiniLM-size teacher", miniLm, shares([0.75, 0.5, 0.25])),
  ...family("micro", "micro teacher", BertConfig.micro, shares([0.5, 0.25]))
]
