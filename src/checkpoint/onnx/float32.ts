import { type HostTensor, Tensor } from "../../backend/index.ts"
import type { Make } from "./Matrices.ts"

/** A matrix's transpose, with its numbers as they are. */
export const transpose = ({ shape, data }: HostTensor): HostTensor => {
  const [rows = 0, columns = 0] = shape
  const turned = new Float32Array(data.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = data[r * columns + c] ?? 0
  return Tensor.of(turned, [columns, rows])
}

/**
 * Matrices of float32. A weight stands transposed, as products take it; a table that is also a weight stands once, and is transposed by
 * the runtime when it loads the graph.
 */
export const float32: Make = (graph, find, shared) => ({
  rows: (table, ids) => graph.node("Gather", [graph.parameter(table, find(table)), ids], { axis: 0 }),
  dense: (weight, bias, x) => {
    const factor = shared.has(weight)
      ? graph.node("Transpose", [graph.parameter(weight, find(weight))], { perm: [1, 0] })
      : graph.parameter(`${weight}.transposed`, transpose(find(weight)))
    return graph.node("Add", [graph.node("MatMul", [x, factor]), graph.parameter(bias, find(bias))])
  }
})
