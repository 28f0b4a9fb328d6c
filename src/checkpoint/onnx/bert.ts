import type { HostTensor } from "../../backend/index.ts"
import { Parameters } from "../../model/index.ts"
import type { Weights } from "../HuggingFaceWeights.ts"
import { activate } from "./activation.ts"
import { elementType } from "./Graph.ts"
import * as Graph from "./Graph.ts"
import { float32 } from "./float32.ts"
import { int8 } from "./int8.ts"

/** What a graph gives: the logits of every position, or the last hidden states. */
export type Task = "masked-lm" | "features"

/** How its matrices are kept. */
export type Precision = "float32" | "int8"

/** The inputs, by the names other exports give them; each is int64 [batch, length]. */
export const inputs = ["input_ids", "attention_mask", "token_type_ids"] as const

/** The name of the output, as other exports call it. */
export const outputName = (task: Task): string => (task === "masked-lm" ? "logits" : "last_hidden_state")

/** Added to scores of padding before the softmax, as in this project's own forward pass. */
const silenced = -1e4

const words = "bert.embeddings.word_embeddings.weight"

/**
 * A BERT as a graph of standard ONNX operators, with batch and length left open; any widths will do. Its steps are those of `Bert.encode`
 * and of `Bert.maskedLmLogits` at every position.
 *
 * Rows longer than the model's positions, and ids it has no piece for, are refused by the runtime. A defect for `masked-lm` where the model
 * has no head, and where a parameter is missing.
 *
 * @example
 * ```ts
 * import { Onnx } from "homodistil/checkpoint"
 * import { BertConfig, Parameters } from "homodistil/model"
 * import { Seed } from "homodistil/spec"
 * const config = BertConfig.uniform({ vocabSize: 8, positions: 4, layers: 2, heads: 1, hidden: 4, ffn: 4 })
 * const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0))
 * const { nodes } = Onnx.bert({ config, parameters }, "masked-lm", "float32").contents()
 * assert.equal(nodes.filter(({ op }) => op === "Softmax").length, 2)
 * assert.deepEqual(nodes.at(-1)?.outputs, ["logits"])
 * ```
 */
export const bert = ({ config, parameters }: Weights, task: Task, precision: Precision): Graph.Graph => {
  const graph = Graph.make()
  const { node, number, integers } = graph
  const find = (name: string): HostTensor => {
    const tensor = parameters[name]
    if (tensor === undefined) throw new RangeError(`there is no parameter ${name}`)
    return tensor
  }
  const tied = task === "masked-lm" && config.decoder === undefined
  const matrices = (precision === "int8" ? int8 : float32)(graph, find, new Set(tied ? [words] : []))
  const parameter = (name: string) => graph.parameter(name, find(name))
  const normalise = (name: string, x: string) =>
    node("LayerNormalization", [x, parameter(`${name}.weight`), parameter(`${name}.bias`)], {
      axis: -1,
      epsilon: { float: config.epsilon }
    })
  const dense = (name: string, x: string) => matrices.dense(`${name}.weight`, `${name}.bias`, x)
  const [ids, mask, types] = inputs

  const embed = (): string => {
    const length = node("Slice", [node("Shape", [ids]), integers(1), integers(2)])
    const table = parameter("bert.embeddings.position_embeddings.weight")
    const positions = node("Slice", [table, integers(0), length, integers(0)])
    const segments = node("Gather", [parameter("bert.embeddings.token_type_embeddings.weight"), types], { axis: 0 })
    const placed = node("Add", [node("Add", [matrices.rows(words, ids), positions]), segments])
    return normalise("bert.embeddings.LayerNorm", placed)
  }

  const bias = (): string => {
    const kept = node("Cast", [node("Unsqueeze", [mask, integers(1, 2)])], { to: elementType.float32 })
    return node("Mul", [node("Sub", [number(1), kept]), number(silenced)])
  }

  const layer = (i: number, x: string, padding: string): string => {
    const at = (rest: string) => Parameters.inLayer(i, rest)
    // 0 keeps a size, -1 is what remains
    const byHead = (name: string, perm: ReadonlyArray<number>) =>
      node("Transpose", [node("Reshape", [dense(at(`attention.self.${name}`), x), integers(0, 0, config.heads, -1)])], {
        perm
      })
    const query = node("Mul", [byHead("query", [0, 2, 1, 3]), number(config.scale)])
    const scores = node("MatMul", [query, byHead("key", [0, 2, 3, 1])])
    const weights = node("Softmax", [node("Add", [scores, padding])], { axis: -1 })
    const gathered = node("MatMul", [weights, byHead("value", [0, 2, 1, 3])])
    const context = node("Reshape", [node("Transpose", [gathered], { perm: [0, 2, 1, 3] }), integers(0, 0, -1)])
    const attended = node("Add", [dense(at("attention.output.dense"), context), x])
    const middle = normalise(at("attention.output.LayerNorm"), attended)
    const inner = activate(graph, dense(at("intermediate.dense"), middle), config.activation)
    return normalise(at("output.LayerNorm"), node("Add", [dense(at("output.dense"), inner), middle]))
  }

  const head = (x: string): string => {
    const transformed = activate(graph, dense("cls.predictions.transform.dense", x), config.activation)
    const normal = normalise("cls.predictions.transform.LayerNorm", transformed)
    return matrices.dense(tied ? words : Parameters.decoder, "cls.predictions.bias", normal)
  }

  let x = embed()
  const padding = bias()
  for (let i = 0; i < config.layers; i++) x = layer(i, x, padding)
  graph.rename(task === "masked-lm" ? head(x) : x, outputName(task))
  return graph
}
