import type { Attributes, Node } from "./Graph.ts"

/** A recorded graph as it is rewritten: nodes in an order in which they can run, and what is known of values. */
export interface Recorded {
  readonly nodes: ReadonlyArray<Node>
  /** The number that all elements of a value are. */
  readonly uniform: (value: string) => number | undefined
  /** The shape of a value; those that nodes tell themselves need not be known here. */
  readonly shape: (value: string) => ReadonlyArray<number> | undefined
}

/** The nodes that some output needs. */
const alive = (nodes: ReadonlyArray<Node>, outputs: ReadonlyArray<string>): ReadonlyArray<Node> => {
  const needed = new Set(outputs)
  const kept: Array<Node> = []
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue
    kept.push(node)
    for (const input of node.inputs) needed.add(input)
  }
  return kept.toReversed()
}

/** The nodes that read each value; a value that is asked for as an output counts as read once more. */
const readersOf = (nodes: ReadonlyArray<Node>, outputs: ReadonlyArray<string>) => {
  const readers = new Map<string, Array<Node | undefined>>()
  const add = (value: string, reader: Node | undefined): void => {
    const known = readers.get(value)
    if (known === undefined) readers.set(value, [reader])
    else known.push(reader)
  }
  for (const node of nodes) for (const input of node.inputs) add(input, node)
  for (const value of outputs) add(value, undefined)
  return (value: string): ReadonlyArray<Node | undefined> => readers.get(value) ?? []
}

const same = (a: ReadonlyArray<number> | undefined, b: ReadonlyArray<number> | undefined): boolean =>
  a !== undefined && b !== undefined && a.length === b.length && a.every((size, i) => size === b[i])

const isProduct = (node: Node | undefined): boolean => node?.op === "Gemm" || node?.op === "FusedMatMul"

const alphaOf = ({ alpha }: Attributes): number => (alpha !== undefined && "float" in alpha ? alpha.float : 1)

/** A node's product with one known number, where it is one: the tensor and the number. */
const scalingOf = ({ uniform, shape }: Recorded, node: Node | undefined) => {
  if (node?.op !== "Mul") return undefined
  const [a = "", b = ""] = node.inputs
  const [tensor, factor] = uniform(b) === undefined ? [b, uniform(a)] : [a, uniform(b)]
  return factor !== undefined && same(shape(tensor), node.shape) ? { tensor, factor } : undefined
}

/** A sum of two tensors times the same number becomes their sum, times the number. */
const factorOut = (recorded: Recorded, outputs: ReadonlyArray<string>): ReadonlyArray<Node> => {
  const { nodes, shape } = recorded
  const readers = readersOf(nodes, outputs)
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  return nodes.flatMap((node) => {
    const [a = "", b = ""] = node.inputs
    const [left, right] = [scalingOf(recorded, makers.get(a)), scalingOf(recorded, makers.get(b))]
    const both = node.op === "Add" && left !== undefined && left.factor === right?.factor
    const alone = readers(a).length === 1 && readers(b).length === 1
    if (!both || !alone || !same(shape(left.tensor), node.shape) || !same(shape(right.tensor), node.shape))
      return [node]
    const [output = ""] = node.outputs
    const sum = `${output}:sum`
    const factor = makers.get(a)?.inputs.find((input) => input !== left.tensor) ?? ""
    return [
      { ...node, inputs: [left.tensor, right.tensor], outputs: [sum] },
      { ...node, op: "Mul", inputs: [sum, factor], outputs: [output] }
    ]
  })
}

const addsEntries = ({ op, attributes: { reduction } }: Node): boolean =>
  op === "ScatterElements" && reduction !== undefined && "string" in reduction && reduction.string === "add"

/** What is added to a tensor in which single entries were changed is added before: the changes are then made in place. */
const changeLast = ({ nodes, uniform, shape }: Recorded, outputs: ReadonlyArray<string>): ReadonlyArray<Node> => {
  const readers = readersOf(nodes, outputs)
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  const gone = new Set<Node>()
  const rewritten = nodes.flatMap((node) => {
    if (node.op !== "Add") return [node]
    const change = node.inputs
      .map((input) => makers.get(input))
      .find((maker) => maker !== undefined && addsEntries(maker))
    const [changed = ""] = change?.outputs ?? []
    const other = node.inputs.find((input) => input !== changed)
    if (change === undefined || other === undefined || readers(changed).length > 1) return [node]
    const [before = "", ...entries] = change.inputs
    // rows scattered over zeros are scattered over the summand
    if (uniform(before) === 0 || !same(change.shape, node.shape) || !same(shape(other), node.shape)) return [node]
    gone.add(change)
    const sum = `${node.outputs[0] ?? ""}:before`
    return [
      { ...node, inputs: [before, other], outputs: [sum] },
      { ...change, inputs: [sum, ...entries], outputs: node.outputs }
    ]
  })
  return rewritten.filter((node) => !gone.has(node))
}

/** A factor by which a tensor is multiplied only to enter products becomes the products' own. */
const foldFactors = (recorded: Recorded, outputs: ReadonlyArray<string>): ReadonlyArray<Node> => {
  const { nodes } = recorded
  const readers = readersOf(nodes, outputs)
  const scaled = new Map<string, { readonly tensor: string; readonly factor: number; readonly name: string }>()
  for (const node of nodes) {
    const [output = ""] = node.outputs
    const found = scalingOf(recorded, node)
    const entersOnce = (reader: Node | undefined): boolean =>
      (isProduct(reader) || reader?.op === "MatMul") &&
      reader?.inputs.filter((x) => x === output).length === 1 &&
      reader.inputs[2] !== output
    if (found === undefined || !readers(output).every(entersOnce)) continue
    scaled.set(output, { ...found, name: node.inputs.find((input) => input !== found.tensor) ?? "" })
  }
  return nodes.flatMap((node) => {
    if (node.op === "MatMul") {
      // it has no factor of its own (and is faster without): its result is multiplied instead
      const factors = node.inputs.flatMap((input) => scaled.get(input) ?? [])
      const [output = ""] = node.outputs
      const plain = { ...node, inputs: node.inputs.map((input) => scaled.get(input)?.tensor ?? input) }
      if (factors.length === 0) return [node]
      const names = factors.map((_, i) => (i === factors.length - 1 ? output : `${output}:${i}`))
      return [
        { ...plain, outputs: [`${output}:plain`] },
        ...factors.map(({ name }, i) => ({
          ...node,
          op: "Mul",
          inputs: [i === 0 ? `${output}:plain` : (names[i - 1] ?? ""), name],
          outputs: [names[i] ?? ""]
        }))
      ]
    }
    if (!isProduct(node)) return [node]
    let alpha = alphaOf(node.attributes)
    const inputs = node.inputs.map((input) => {
      let at = input
      for (let found = scaled.get(at); found !== undefined; found = scaled.get(at)) {
        alpha *= found.factor
        at = found.tensor
      }
      return at
    })
    return [{ ...node, inputs, attributes: { ...node.attributes, alpha: { float: alpha } } }]
  })
}

/** A number by which a product alone is multiplied becomes its own factor. */
const foldResults = (recorded: Recorded, outputs: ReadonlyArray<string>): ReadonlyArray<Node> => {
  const { nodes } = recorded
  const readers = readersOf(nodes, outputs)
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  const folded = new Set<Node>()
  const rewritten = nodes.map((node) => {
    const found = scalingOf(recorded, node)
    const source = found === undefined ? undefined : makers.get(found.tensor)
    if (found === undefined || source === undefined || !isProduct(source) || source.inputs.length > 2) return node
    if (folded.has(source) || readers(found.tensor).length > 1) return node
    folded.add(source)
    const alpha = { float: alphaOf(source.attributes) * found.factor }
    return { ...source, outputs: node.outputs, attributes: { ...source.attributes, alpha } }
  })
  return rewritten.filter((node) => !folded.has(node))
}

/** What is added to (or taken from) a product alone becomes the product's own summand; rows that are scattered over zeros and added are scattered over the summand. */
const absorbSums = ({ nodes, uniform, shape }: Recorded, outputs: ReadonlyArray<string>): ReadonlyArray<Node> => {
  const readers = readersOf(nodes, outputs)
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  const absorbed = new Set<Node>()
  const into = (sum: Node, own: string, other: string): Node | undefined => {
    const source = makers.get(own)
    const alone = source !== undefined && !absorbed.has(source) && readers(own).length === 1
    if (!alone || own === other || !same(source.shape, sum.shape) || !same(shape(other), sum.shape)) return undefined
    const { attributes, inputs } = source
    if (source.op === "Gemm" && inputs.length === 2) {
      const beta = { float: sum.op === "Add" ? 1 : -1 }
      return { ...source, inputs: [...inputs, other], outputs: sum.outputs, attributes: { ...attributes, beta } }
    }
    if (addsEntries(source) && sum.op === "Add" && uniform(inputs[0] ?? "") === 0)
      return { ...source, inputs: [other, ...inputs.slice(1)], outputs: sum.outputs }
    return undefined
  }
  const rewritten = nodes.map((node) => {
    if (node.op !== "Add" && node.op !== "Sub") return node
    const [a = "", b = ""] = node.inputs
    const first = into(node, a, b)
    const made = first ?? (node.op === "Add" ? into(node, b, a) : undefined)
    const source = made === undefined ? undefined : makers.get(first === undefined ? b : a)
    if (source !== undefined) absorbed.add(source)
    return made ?? node
  })
  return rewritten.filter((node) => !absorbed.has(node))
}

/** Each calculation once: a node that repeats an earlier one gives way to it. */
const unrepeated = ({ nodes }: Recorded, outputs: ReadonlyArray<string>): ReadonlyArray<Node> => {
  const asked = new Set(outputs)
  const known = new Map<string, Node>()
  const renamed = new Map<string, string>()
  const kept: Array<Node> = []
  for (const node of nodes) {
    const inputs = node.inputs.map((input) => renamed.get(input) ?? input)
    const key = JSON.stringify([
      node.op,
      node.domain,
      inputs,
      Object.entries(node.attributes).sort(([a], [b]) => (a < b ? -1 : 1)),
      node.outputs.length
    ])
    const twin = known.get(key)
    // what is asked for keeps its own name
    if (twin === undefined || node.outputs.some((output) => asked.has(output))) {
      const own = { ...node, inputs }
      if (twin === undefined) known.set(key, own)
      kept.push(own)
    } else node.outputs.forEach((output, i) => renamed.set(output, twin.outputs[i] ?? output))
  }
  return kept
}

/** The nodes of a graph of fewer nodes that computes the same outputs, up to the rounding of products and sums. */
export const simplify = (recorded: Recorded, outputs: ReadonlyArray<string>): ReadonlyArray<Node> => {
  const step = (
    nodes: ReadonlyArray<Node>,
    rewrite: (recorded: Recorded, outputs: ReadonlyArray<string>) => ReadonlyArray<Node>
  ) => {
    const shapes = new Map(nodes.map((node) => [node.outputs[0] ?? "", node.shape] as const))
    const shape = (value: string) => shapes.get(value) ?? recorded.shape(value)
    return alive(rewrite({ ...recorded, nodes, shape }, outputs), outputs)
  }
  return [unrepeated, factorOut, changeLast, foldFactors, foldResults, absorbSums].reduce(
    step,
    alive(recorded.nodes, outputs)
  )
}
