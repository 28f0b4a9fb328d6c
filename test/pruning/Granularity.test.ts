import { assert, describe, it } from "@effect/vitest"
import { type HostTensor, Tensor } from "homodistil/backend"
import { Axis, BertConfig, Parameters } from "homodistil/model"
import { Granularity, ShapeError } from "homodistil/pruning"
import { Seed } from "homodistil/spec"

const config = BertConfig.uniform({ vocabSize: 7, positions: 4, layers: 1, heads: 2, hidden: 4, ffn: 6 })
const axes = BertConfig.axes(config)
const specs = Parameters.bert(config)
const scores: { readonly [name: string]: HostTensor } = Object.fromEntries(
  specs.map((spec) => {
    const shape = Parameters.shape(spec, axes)
    return [spec.name, Tensor.host(Seed.uniforms(Seed.make(spec.name), Tensor.elements(shape)), shape)]
  })
)

/** The sum of |score| over a matrix's row or column, or a vector's element. */
const line = (name: string, dimension: number, unit: number): number => {
  const { shape, data } = scores[name] ?? Tensor.scalar(0)
  const width = shape[1] ?? 1
  let sum = 0
  data.forEach((x, i) => {
    const index = dimension === 0 ? Math.floor(i / width) : i % width
    if (index === unit) sum += Math.abs(x)
  })
  return sum
}

/** What goes with a unit of each axis, written out: name and dimension. */
const layer = (rest: string) => `bert.encoder.layer.0.${rest}`
const both = (name: string): ReadonlyArray<readonly [string, number]> => [
  [`${name}.weight`, 0],
  [`${name}.bias`, 0]
]
const [query, key, value, output, up, down] = [
  layer("attention.self.query"),
  layer("attention.self.key"),
  layer("attention.self.value"),
  layer("attention.output.dense"),
  layer("intermediate.dense"),
  layer("output.dense")
]
const producers: { readonly [axis: string]: ReadonlyArray<readonly [string, number]> } = {
  hidden: [
    ["bert.embeddings.word_embeddings.weight", 1],
    ["bert.embeddings.position_embeddings.weight", 1],
    ["bert.embeddings.token_type_embeddings.weight", 1],
    ...both("bert.embeddings.LayerNorm"),
    ...both(output),
    ...both(layer("attention.output.LayerNorm")),
    ...both(down),
    ...both(layer("output.LayerNorm")),
    ...both("cls.predictions.transform.dense"),
    ...both("cls.predictions.transform.LayerNorm")
  ],
  "layer.0.ffn": both(up),
  "layer.0.qk": [...both(query), ...both(key)],
  "layer.0.vo": both(value)
}
const readers: { readonly [axis: string]: ReadonlyArray<readonly [string, number]> } = {
  hidden: [query, key, value, up, "cls.predictions.transform.dense"].map((name) => [`${name}.weight`, 1] as const),
  "layer.0.ffn": [[`${down}.weight`, 1]],
  "layer.0.qk": [],
  "layer.0.vo": [[`${output}.weight`, 1]]
}

describe.each([
  ["producers", Granularity.producers(), (axis: string) => producers[axis] ?? []],
  ["users", Granularity.users(), (axis: string) => [...(producers[axis] ?? []), ...(readers[axis] ?? [])]]
] as const)("granularity over %s", (_, granularity, membersOf) => {
  it("adds up what a BERT's units consist of", () => {
    const made = Granularity.scoreUnits(granularity, axes, specs, scores)
    assert.deepStrictEqual([...made.keys()], ["hidden", "layer.0.ffn", "layer.0.qk", "layer.0.vo"])
    for (const [axis, units] of made)
      units.forEach((score, unit) => {
        const expected = membersOf(axis).reduce((sum, [name, dimension]) => sum + line(name, dimension, unit), 0)
        assert.closeTo(score, expected, 1e-5 * expected)
      })
  })

  it("refuses scores of another size", () => {
    const bias = { spec: { name: "bias", axes: ["hidden"], output: "hidden" }, scores: Tensor.host([1, 2]) }
    assert.throws(() => granularity.unitScores(Axis.get(axes, "hidden"), [bias]), ShapeError, /expected 4 units, got 2/)
  })
})
