import type { BertConfig } from "../../model/index.ts"
import type { Graph } from "./Graph.ts"

type Activation = BertConfig.BertConfig["activation"]

/** ½ x (1 + f), in the order of steps in which runtimes recognise the units of this family. */
const half = (graph: Graph, x: string, f: string): string =>
  graph.node("Mul", [graph.node("Mul", [x, graph.node("Add", [f, graph.number(1)])]), graph.number(0.5)])

const gelu = (graph: Graph, x: string): string =>
  half(graph, x, graph.node("Erf", [graph.node("Div", [x, graph.number(Math.SQRT2)])]))

const geluTanh = (graph: Graph, x: string): string => {
  const cube = graph.node("Mul", [x, graph.node("Mul", [x, x])])
  const inner = graph.node("Add", [x, graph.node("Mul", [cube, graph.number(0.044715)])])
  return half(graph, x, graph.node("Tanh", [graph.node("Mul", [inner, graph.number(Math.sqrt(2 / Math.PI))])]))
}

const swish = (graph: Graph, x: string, alpha: number): string =>
  graph.node("Mul", [x, graph.node("Sigmoid", [alpha === 1 ? x : graph.node("Mul", [x, graph.number(alpha)])])])

/** Applies a model's activation to a value of the graph; the exact GELU where none is named. */
export const activate = (graph: Graph, x: string, name: Activation): string => {
  switch (name) {
    case undefined:
      return gelu(graph, x)
    case "gelu_new":
      return geluTanh(graph, x)
    case "quick_gelu":
      return swish(graph, x, 1.702)
    case "silu":
      return swish(graph, x, 1)
    case "relu":
      return graph.node("Relu", [x])
    case "tanh":
      return graph.node("Tanh", [x])
  }
}
