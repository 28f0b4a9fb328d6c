import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { Axis, BertConfig, type Model, Parameters, type ParameterValues } from "../model/index.ts"
import type { Ranking } from "../pruning/index.ts"
import { Seed, Spec } from "../spec/index.ts"

/** What a student is made from. */
export interface StudentInput {
  readonly teacher: Model.Model
  readonly ranking: Ranking.Ranking
  /** The remaining ratio at the end of the run. */
  readonly finalRatio: number
  readonly seed: Seed.Seed
}

/** What a student's shape is made from. */
export interface ShapeInput extends Pick<StudentInput, "ranking" | "finalRatio"> {
  readonly teacher: BertConfig.BertConfig
}

/** Where a student starts. */
export interface StudentInit {
  readonly spec: Spec.Spec
  /** Whether the student starts at its final size, so that nothing is pruned while it trains. */
  readonly final: boolean
  /** The shape that the student of a teacher has at the start. */
  readonly shape: (input: ShapeInput) => BertConfig.BertConfig
  readonly make: (input: StudentInput) => Model.Model
}

/** The student's start of a run. */
export class StudentInitService extends Context.Service<StudentInitService, StudentInit>()("homodistil/StudentInit") {}

/** Provides a student's start. */
export const layer = (init: StudentInit): Layer.Layer<StudentInitService> =>
  Layer.succeed(StudentInitService, StudentInitService.of(init))

/** A copy of the teacher: the homotopy's start (paper, §1). */
export const fromTeacher: StudentInit = {
  spec: Spec.make("fromTeacher"),
  final: false,
  shape: ({ teacher }) => teacher,
  make: ({ teacher }) => teacher
}

/** A teacher's shape at the final size, with attention scaled for its own heads. */
const small = ({ teacher, ranking, finalRatio }: ShapeInput): BertConfig.BertConfig => {
  const original = BertConfig.axes(teacher)
  const axes = Axis.resize(original, ranking.widths({ original, current: original, ratio: finalRatio }))
  const config = BertConfig.fromAxes(teacher, axes)
  return { ...config, scale: 1 / Math.sqrt((config.qk[0] ?? config.heads) / config.heads) }
}

/** Random weights at the final size, with sinusoidal positions: the baseline of the paper's Fig. 3. */
export const random: StudentInit = {
  spec: Spec.make("random", { options: { positions: "sinusoidal" } }),
  final: true,
  shape: small,
  make: ({ teacher, seed, ...rest }) => {
    const config = small({ ...rest, teacher: teacher.config })
    const axes = BertConfig.axes(config)
    const parameters = Parameters.initialise(Parameters.bert(config), axes, Seed.child(seed, "student"), "sinusoidal")
    return { config, parameters }
  }
}

/** Which of so many layers remain: the share `ratio` of them, evenly spread from the first one on. */
const spread = (layers: number, ratio: number): ReadonlyArray<number> => {
  const count = Math.max(1, Math.round(ratio * layers))
  return Array.from({ length: count }, (_, i) => Math.floor((i * layers) / count))
}

/** A shape of these layers alone. */
const ofLayers = (config: BertConfig.BertConfig, taken: ReadonlyArray<number>): BertConfig.BertConfig => {
  const pick = (widths: ReadonlyArray<number>) => taken.flatMap((layer) => widths[layer] ?? [])
  return { ...config, layers: taken.length, ffn: pick(config.ffn), qk: pick(config.qk), vo: pick(config.vo) }
}

const ofEncoder = /^bert\.encoder\.layer\.(\d+)\.(.+)$/

/**
 * Every other layer of the teacher, at the teacher's widths (DistilBERT: Sanh et al. 2019, §3; paper, §7). The remaining ratio is that
 * of the layers: ½ takes every other, ¼ every fourth, and at least one is taken.
 */
export const everyOther: StudentInit = {
  spec: Spec.make("everyOther"),
  final: true,
  shape: ({ teacher, finalRatio }) => ofLayers(teacher, spread(teacher.layers, finalRatio)),
  make: ({ teacher, finalRatio }) => {
    const { config } = teacher
    const taken = spread(config.layers, finalRatio)
    const parameters: ParameterValues = Object.fromEntries(
      Object.entries(teacher.parameters).flatMap(([name, value]) => {
        const [, layer, rest = ""] = ofEncoder.exec(name) ?? []
        if (layer === undefined) return [[name, value]]
        const place = taken.indexOf(Number(layer))
        return place === -1 ? [] : [[Parameters.inLayer(place, rest), value]]
      })
    )
    return { config: ofLayers(config, taken), parameters }
  }
}
