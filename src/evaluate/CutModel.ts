import type { HostTensor } from "../backend/index.ts"
import { Axis, BertConfig, type Model, type ParameterSpec, Parameters } from "../model/index.ts"
import { PrunePlan } from "../pruning/index.ts"

/** Marks the units along one dimension of a tensor that hold a number other than 0. */
const markAlive = ({ shape, data }: HostTensor, dimension: number, alive: Uint8Array): void => {
  const size = shape[dimension] ?? 1
  const inner = shape.slice(dimension + 1).reduce((n, each) => n * each, 1)
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) alive[Math.floor(i / inner) % size] = 1
}

/** The units to keep of an axis: those alive, and in each block as many as in the fullest one. */
const keptOf = (axis: Axis.Axis, alive: Uint8Array): Int32Array => {
  const width = axis.size / axis.blocks
  const blocks = Array.from({ length: axis.blocks }, (_, block) => {
    const units = Array.from({ length: width }, (_, i) => block * width + i)
    return {
      living: units.filter((unit) => alive[unit] === 1),
      silent: units.filter((unit) => alive[unit] !== 1)
    }
  })
  const most = Math.max(1, ...blocks.map(({ living }) => living.length))
  return Int32Array.from(
    blocks.flatMap(({ living, silent }) =>
      [...living, ...silent.slice(0, most - living.length)].toSorted((a, b) => a - b)
    )
  )
}

const isHidden = (spec: ParameterSpec, dimension: number): boolean => spec.axes[dimension] === Axis.hidden

/**
 * A masked model with its silent units cut out; a model that is not masked comes back as it is.
 *
 * Hidden units go where `keptHidden` is 0; units of `ffn`, `qk` and `vo` where every number of them, in every parameter, is 0:
 * such a unit adds nothing and no gradient reaches it, so the cut model gives the same outputs and trains alike. No pooler comes along: it
 * was made for all hidden units.
 *
 * @example
 * ```ts
 * import { Tensor } from "homodistil/backend"
 * import { CutModel } from "homodistil/evaluate"
 * import { BertConfig, Parameters } from "homodistil/model"
 * import { Seed } from "homodistil/spec"
 * const config = BertConfig.uniform({ vocabSize: 7, positions: 4, layers: 1, heads: 1, hidden: 2, ffn: 3 })
 * const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0))
 * const cut = CutModel.of({ config, parameters, keptHidden: Tensor.host([0, 1]) })
 * assert.deepEqual([cut.config.hidden, cut.keptHidden], [1, undefined])
 * ```
 */
export const of = (model: Model.Model): Model.Model => {
  const { config, parameters, keptHidden } = model
  if (keptHidden === undefined) return model
  const axes = BertConfig.axes(config)
  const specs = Parameters.bert(config)
  const alive = new Map(Axis.prunable(axes).map((axis) => [axis.id, new Uint8Array(axis.size)]))
  alive.set(Axis.hidden, Uint8Array.from(keptHidden.data))
  for (const spec of specs) {
    const value = parameters[spec.name]
    if (value === undefined) throw new RangeError(`there is no parameter ${spec.name}`)
    spec.axes.forEach((id, dimension) => {
      const marks = alive.get(id)
      if (marks !== undefined && !isHidden(spec, dimension)) markAlive(value, dimension, marks)
    })
  }
  const plan: PrunePlan.PrunePlan = {
    kept: new Map([...alive].map(([id, marks]) => [id, keptOf(Axis.get(axes, id), marks)]))
  }
  return {
    config: BertConfig.fromAxes(config, PrunePlan.axesAfter(axes, plan)),
    parameters: PrunePlan.cutTree(parameters, specs, plan)
  }
}
