import { type Activation, type BertConfig, type ParameterValues, type Tokens } from "homodistil/model"
import { gelu, geluTanh, swish } from "../gelu.ts"

/** A row of double-precision numbers. */
export type Row = ReadonlyArray<number>

/** What the plain loops give: the taps of a forward pass, sequence by sequence and token by token. */
export interface PlainOutputs {
  readonly embedding: ReadonlyArray<Row>
  readonly hidden: ReadonlyArray<ReadonlyArray<Row>>
  /** [layer][sequence][head][query][key] */
  readonly scores: ReadonlyArray<ReadonlyArray<ReadonlyArray<ReadonlyArray<Row>>>>
  /** [layer][sequence][head][token] */
  readonly values: ReadonlyArray<ReadonlyArray<ReadonlyArray<ReadonlyArray<Row>>>>
}

const activations: { readonly [name in Activation.Activation]: (x: number) => number } = {
  gelu_new: geluTanh,
  quick_gelu: swish(1.702),
  relu: (x) => Math.max(0, x),
  silu: swish(1),
  tanh: Math.tanh
}
const activation = ({ activation: name }: BertConfig.BertConfig) => (name === undefined ? gelu : activations[name])

const range = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i)
const sum = (values: Row): number => values.reduce((a, b) => a + b, 0)
const plus = (a: Row, b: Row): Row => a.map((v, i) => v + (b[i] ?? Number.NaN))
const dot = (a: Row, b: Row): number => sum(a.map((v, i) => v * (b[i] ?? Number.NaN)))

/** The parameters as rows of plain numbers. */
const reader = (values: ParameterValues) => {
  const matrix = (name: string): ReadonlyArray<Row> => {
    const tensor = values[name]
    if (tensor === undefined) throw new Error(`there is no ${name}`)
    const [rows = 1, columns = 1] = tensor.shape
    return range(rows).map((i) => Array.from(tensor.data.slice(i * columns, (i + 1) * columns)))
  }
  const vector = (name: string): Row => matrix(name).flat()
  const dense = (name: string, x: Row): Row =>
    plus(
      matrix(`${name}.weight`).map((row) => dot(row, x)),
      vector(`${name}.bias`)
    )
  const norm = (name: string, x: Row, epsilon: number): Row => {
    const mean = sum(x) / x.length
    const deviation = Math.sqrt(sum(x.map((v) => (v - mean) ** 2)) / x.length + epsilon)
    const [gamma, beta] = [vector(`${name}.weight`), vector(`${name}.bias`)]
    return x.map((v, i) => ((v - mean) / deviation) * (gamma[i] ?? Number.NaN) + (beta[i] ?? Number.NaN))
  }
  return { matrix, vector, dense, norm }
}

/** BERT's encoder by its definition, one token after another. */
export const plainBert = (
  config: BertConfig.BertConfig,
  values: ParameterValues,
  tokens: Tokens.Tokens,
  causal = false
): PlainOutputs => {
  const { matrix, dense, norm } = reader(values)
  const { rows, length } = tokens
  const table = (name: string, i: number): Row => matrix(`bert.embeddings.${name}.weight`)[i] ?? []
  const embedding = range(rows * length).map((t) =>
    norm(
      "bert.embeddings.LayerNorm",
      plus(
        plus(table("word_embeddings", tokens.ids[t] ?? 0), table("position_embeddings", t % length)),
        table("token_type_embeddings", tokens.types?.[t] ?? 0)
      ),
      config.epsilon
    )
  )
  const seen = (sequence: number, query: number, key: number): boolean =>
    (tokens.attention?.[sequence * length + key] ?? 1) === 1 && (!causal || key <= query)

  const hidden: Array<ReadonlyArray<Row>> = []
  const scores: Array<ReadonlyArray<ReadonlyArray<ReadonlyArray<Row>>>> = []
  const valuesByLayer: Array<ReadonlyArray<ReadonlyArray<ReadonlyArray<Row>>>> = []
  let x: ReadonlyArray<Row> = embedding
  for (const i of range(config.layers)) {
    const name = (rest: string) => `bert.encoder.layer.${i}.${rest}`
    const project = (kind: string) => x.map((row) => dense(name(`attention.self.${kind}`), row))
    const [query, key, value] = [project("query"), project("key"), project("value")]
    const head = (row: Row | undefined, h: number): Row => {
      const width = (row?.length ?? 0) / config.heads
      return (row ?? []).slice(h * width, (h + 1) * width)
    }
    const bySequence = range(rows).map((s) =>
      range(config.heads).map((h) =>
        range(length).map((q) =>
          range(length).map((k) => config.scale * dot(head(query[s * length + q], h), head(key[s * length + k], h)))
        )
      )
    )
    const context = range(rows * length).map((t) => {
      const [s, q] = [Math.floor(t / length), t % length]
      return range(config.heads).flatMap((h) => {
        const powers = range(length).map((k) => (seen(s, q, k) ? Math.exp(bySequence[s]?.[h]?.[q]?.[k] ?? 0) : 0))
        const values = range(length).map((k) => head(value[s * length + k], h))
        return range(values[0]?.length ?? 0).map(
          (u) =>
            dot(
              powers,
              values.map((row) => row[u] ?? Number.NaN)
            ) / sum(powers)
        )
      })
    })
    const attended = context.map((row, t) =>
      norm(
        name("attention.output.LayerNorm"),
        plus(dense(name("attention.output.dense"), row), x[t] ?? []),
        config.epsilon
      )
    )
    x = attended.map((row) =>
      norm(
        name("output.LayerNorm"),
        plus(dense(name("output.dense"), dense(name("intermediate.dense"), row).map(activation(config))), row),
        config.epsilon
      )
    )
    hidden.push(x)
    scores.push(bySequence)
    valuesByLayer.push(
      range(rows).map((s) => range(config.heads).map((h) => range(length).map((t) => head(value[s * length + t], h))))
    )
  }
  return { embedding, hidden, scores, values: valuesByLayer }
}

/** The masked-language-model head by its definition: logits of chosen rows of hidden states. */
export const plainLogits = (
  config: BertConfig.BertConfig,
  values: ParameterValues,
  states: ReadonlyArray<Row>,
  positions: Row
): ReadonlyArray<Row> => {
  const { matrix, vector, dense, norm } = reader(values)
  const words = matrix(
    config.decoder === "untied" ? "cls.predictions.decoder.weight" : "bert.embeddings.word_embeddings.weight"
  )
  return positions.map((position) => {
    const inner = dense("cls.predictions.transform.dense", states[position] ?? []).map(activation(config))
    const normal = norm("cls.predictions.transform.LayerNorm", inner, config.epsilon)
    return plus(
      words.map((row) => dot(row, normal)),
      vector("cls.predictions.bias")
    )
  })
}
