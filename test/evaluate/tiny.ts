import * as Effect from "effect/Effect"
import { Backend, OnnxBackend, Tensor } from "../../src/backend/index.ts"
import type { Examples, MaskedBatch, Task } from "../../src/data/index.ts"
import { Axis, BertConfig, type Model, Parameters, type Pooler } from "../../src/model/index.ts"
import { PrunePlan } from "../../src/pruning/index.ts"
import { Seed, Spec } from "../../src/spec/index.ts"

/** Two layers of width 8 over 20 pieces and 6 positions. */
export const config = BertConfig.uniform({ vocabSize: 20, positions: 6, layers: 2, heads: 2, hidden: 8, ffn: 12 })

/** Random weights, larger than at the start of training so that every part of the model has something to say. */
export const model = (seed: number): Model.Model => {
  const axes = BertConfig.axes(config)
  const parameters = Object.fromEntries(
    Parameters.bert(config).map((spec) => {
      const shape = Parameters.shape(spec, axes)
      const draws = Seed.normals(Seed.child(Seed.make(seed), spec.name), Tensor.elements(shape))
      const centre = spec.name.endsWith("LayerNorm.weight") ? 1 : 0
      return [
        spec.name,
        Tensor.host(
          draws.map((z) => centre + 0.4 * z),
          shape
        )
      ]
    })
  )
  return { config, parameters }
}

/** A random pooler for it. */
export const pooler = (seed: number): Pooler.Pooler => {
  const drawn = (name: string, shape: ReadonlyArray<number>) => {
    const draws = Seed.normals(Seed.child(Seed.make(seed), name), Tensor.elements(shape))
    return Tensor.host(
      draws.map((z) => 0.4 * z),
      shape
    )
  }
  return { weight: drawn("pooler", [config.hidden, config.hidden]), bias: drawn("bias", [config.hidden]) }
}

/** As `model`, with one hidden unit for each of the classes 0, 1, 2 that the embedding of a piece of that class (its number modulo 3) turns on. */
export const planted = (seed: number): Model.Model => {
  const { parameters } = model(seed)
  const name = "bert.embeddings.word_embeddings.weight"
  const words = parameters[name] ?? Tensor.host([])
  const data = words.data.map((x, i) => (i % config.hidden === Math.floor(i / config.hidden) % 3 ? 6 : x))
  return { config, parameters: { ...parameters, [name]: { ...words, data } } }
}

/** Some units of every axis: as many in each head. */
export const plan = PrunePlan.of({
  hidden: [0, 2, 3, 5, 7],
  "layer.0.ffn": [1, 2, 8],
  "layer.0.qk": [0, 3, 4, 6],
  "layer.0.vo": [1, 2, 3, 5, 6, 7],
  "layer.1.qk": [2, 7]
})

/** The model cut by the plan, and masked by it. */
export const prunedBothWays = (whole: Model.Model): { readonly cut: Model.Model; readonly masked: Model.Model } => {
  const axes = BertConfig.axes(config)
  const specs = Parameters.bert(config)
  const silenced = specs.map((spec) => {
    const mask = PrunePlan.parameterMask(spec, axes, plan)
    const value = whole.parameters[spec.name] ?? mask
    return [spec.name, { ...value, data: value.data.map((x, i) => x * (mask.data[i] ?? 0)) }] as const
  })
  return {
    cut: {
      config: BertConfig.fromAxes(config, PrunePlan.axesAfter(axes, plan)),
      parameters: PrunePlan.cutTree(whole.parameters, specs, plan)
    },
    masked: {
      config,
      parameters: Object.fromEntries(silenced),
      keptHidden: Tensor.host(PrunePlan.mask(plan, axes)[Axis.hidden] ?? [])
    }
  }
}

/** Random rows with some places to predict, the last row padded where asked for. */
export const batch = (seed: number, options: { readonly rows: number; readonly padded: boolean }): MaskedBatch => {
  const { rows, padded } = options
  const length = 6
  const at = Seed.make(`batch ${seed}`)
  const ids = Seed.integers(Seed.child(at, "ids"), rows * length, 15).map((id) => id + 5)
  const attention = new Float32Array(rows * length).fill(1)
  if (padded) attention.fill(0, rows * length - 2)
  const positions = Int32Array.from({ length: rows }, (_, row) => row * length + (row % 4))
  return {
    rows,
    length,
    ids,
    attention: padded ? attention : undefined,
    positions,
    labels: Seed.integers(Seed.child(at, "labels"), rows, 20)
  }
}

/** A task that no corpus is needed for: its examples are given where it is run. */
export const task = (kind: Task["kind"], classes: number): Task => ({
  spec: Spec.make("toy"),
  kind,
  classes: Array.from({ length: classes }, (_, i) => `class ${i}`),
  examples: () => rowsOf([], () => 0)
})

/** Examples of these rows, each padded to `length`, labelled by a function of the row or of each piece. */
export const rowsOf = (
  rows: ReadonlyArray<ReadonlyArray<number>>,
  label: (row: ReadonlyArray<number>) => number,
  length = 6
): Examples => ({
  count: rows.length,
  length,
  ids: Int32Array.from(rows.flatMap((row) => padTo(row, length))),
  attention: Float32Array.from(
    rows.flatMap((row) =>
      padTo(
        row.map(() => 1),
        length
      )
    )
  ),
  labels: Int32Array.from(rows, label)
})

/** Token examples: each piece is labelled by a function of it, padding is left out. */
export const tokensOf = (
  rows: ReadonlyArray<ReadonlyArray<number>>,
  label: (id: number) => number,
  length = 6
): Examples => ({
  ...rowsOf(rows, () => 0, length),
  labels: Int32Array.from(
    rows.flatMap((row) => [...row.map(label), ...Array.from({ length: length - row.length }, () => -1)])
  )
})

const padTo = (row: ReadonlyArray<number>, length: number): ReadonlyArray<number> => [
  ...row,
  ...Array.from({ length: length - row.length }, () => 0)
]

/** `count` rows of pieces, of lengths 3 … `longest`. */
export const randomRows = (seed: number, count: number, longest = 6): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: count }, (_, row) => {
    const at = Seed.child(Seed.make(`rows ${seed}`), "row", row)
    const size = 3 + ((Seed.integers(at, 1, longest - 2)[0] ?? 0) % (longest - 2))
    return [2, ...[...Seed.integers(Seed.child(at, "ids"), size - 1, 15)].map((id) => id + 5)]
  })

/** Runs an effect on the compiled backend; it must leave no tensor and no session behind. */
export const run = <A, E>(effect: Effect.Effect<A, E, Backend>): Promise<A> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const backend = yield* Backend
      const before = yield* backend.live
      const result = yield* effect
      const after = yield* backend.live
      if (after.tensors !== before.tensors || after.sessions !== before.sessions)
        return yield* Effect.die(new Error(`left behind: ${after.tensors} tensors, ${after.sessions} sessions`))
      return result
    }).pipe(Effect.provide(OnnxBackend.layer({ threads: 1 })))
  )
