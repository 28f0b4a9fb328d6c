import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { HostTensor, TensorSpec } from "../backend/index.ts"
import { BertConfig, Parameters, type ParameterValues, Pooler } from "../model/index.ts"
import { CheckpointError, type CheckpointProblem, fewOf } from "./CheckpointError.ts"
import { usualScale } from "./HuggingFaceConfig.ts"

const words = "bert.embeddings.word_embeddings.weight"
const bias = "cls.predictions.bias"
const { decoder } = Parameters
const decoderBias = "cls.predictions.decoder.bias"

/** A BERT's shape and weights, and its pooler where it has one. */
export interface Weights {
  readonly config: BertConfig.BertConfig
  readonly parameters: ParameterValues
  readonly pooler?: Pooler.Pooler
}

/**
 * Tensors of a BERT checkpoint that neither the encoder, its pooler nor masked language modelling has a use for: next-sentence prediction,
 * heads of tasks, tables of positions and segments.
 */
export const isUnused = (name: string): boolean =>
  /^(bert\.)?pooler\.(?!dense\.(weight|bias)$)|^cls\.seq_relationship\.|^(classifier|qa_outputs)\.|^(bert\.)?embeddings\.(position_ids|token_type_ids)$/.test(
    name
  )

/** The present name of a parameter: a bare encoder's has no prefix, and layer normalisation once called its weight gamma and its bias beta. */
const presentName = (name: string): string =>
  name
    .replace(/^(embeddings|encoder|pooler)\./, "bert.$1.")
    .replace(/LayerNorm\.gamma$/, "LayerNorm.weight")
    .replace(/LayerNorm\.beta$/, "LayerNorm.bias")

/** Where a checkpoint's tensors come from: what is known of them at once, and their values on request. */
export interface Source<E, R> {
  readonly file: string
  readonly entries: { readonly [name: string]: TensorSpec }
  readonly read: (name: string) => Effect.Effect<HostTensor, E, R>
  /** Whether the tensor of the name has these bits. */
  readonly holds: (name: string, tensor: HostTensor) => Effect.Effect<boolean, E, R>
}

/** What was read, and the names of tensors that have no effect. */
export interface Loaded extends Weights {
  readonly ignored: ReadonlyArray<string>
}

/** The tensor that a parameter is read from. */
export interface PlannedSource {
  readonly name: string
  readonly from: string
}

/** Which tensor each parameter is read from, and which tensors must be copies of a parameter. */
export interface Plan {
  readonly config: BertConfig.BertConfig
  readonly sources: ReadonlyArray<PlannedSource>
  /** The same of the pooler; nothing where there is none. */
  readonly pooler: ReadonlyArray<PlannedSource>
  readonly copies: ReadonlyArray<{ readonly from: string; readonly of: string }>
  readonly ignored: ReadonlyArray<string>
}

/** The configuration as the names of the weights complete it: they decide whether there is a head. */
const completed = (config: BertConfig.BertConfig, names: ReadonlyArray<string>): BertConfig.BertConfig => {
  const { head: _, decoder: own, ...rest } = config
  if (!names.some((name) => name.startsWith("cls.predictions."))) return { ...rest, head: "none" }
  return own === undefined ? rest : { ...rest, decoder: own }
}

const planOf = (
  entries: { readonly [name: string]: TensorSpec },
  given: BertConfig.BertConfig
): Result.Result<Plan, ReadonlyArray<CheckpointProblem>> => {
  const names = Object.keys(entries)
  const config = completed(given, names)
  const problems: Array<CheckpointProblem> = []
  const found = new Map<string, string>()
  for (const from of names) {
    const name = presentName(from)
    if (found.has(name)) problems.push({ tensor: from, reason: `is there twice, also as ${found.get(name)}` })
    else found.set(name, from)
  }
  const { copies, ignored } = config.decoder === "untied" ? untied(found) : tied(found)
  const take = (name: string, shape: ReadonlyArray<number>, absent: string): ReadonlyArray<PlannedSource> => {
    const from = found.get(name)
    const entry = from === undefined ? undefined : entries[from]
    found.delete(name)
    if (from === undefined || entry === undefined) problems.push({ tensor: name, reason: absent })
    else {
      const reason = misfit(entry, shape)
      if (reason === undefined) return [{ name, from }]
      problems.push({ tensor: from, reason })
    }
    return []
  }
  const axes = BertConfig.axes(config)
  const sources = Parameters.bert(config).flatMap((spec) => take(spec.name, Parameters.shape(spec, axes), "is missing"))
  const half = found.get(Pooler.weight) ?? found.get(Pooler.bias)
  const pooler = Object.entries(half === undefined ? {} : Pooler.shapes(config)).flatMap(([name, shape]) =>
    take(name, shape, `is missing, but ${half} is there`)
  )
  for (const from of found.values()) problems.push({ tensor: from, reason: "is no parameter of this model" })
  return problems.length > 0
    ? Result.fail(fewOf(problems))
    : Result.succeed({ config, sources, pooler, copies, ignored })
}

/** The decoder is the word embedding: where both are stored they must agree, and either will do. */
const tied = (found: Map<string, string>): Pick<Plan, "copies" | "ignored"> => {
  const copies = [
    { from: decoder, of: words },
    { from: decoderBias, of: bias }
  ].filter(({ from, of }) => {
    if (!found.delete(from)) return false
    if (found.has(of)) return true
    found.set(of, from)
    return false
  })
  return { copies, ignored: [] }
}

/** The decoder is its own: where it has a bias, the head's other one has no effect. */
const untied = (found: Map<string, string>): Pick<Plan, "copies" | "ignored"> => {
  const other = found.get(bias)
  if (!found.delete(decoderBias)) return { copies: [], ignored: [] }
  found.set(bias, decoderBias)
  return { copies: [], ignored: other === undefined ? [] : [other] }
}

const misfit = ({ shape, dtype }: TensorSpec, wanted: ReadonlyArray<number>): string | undefined => {
  if (dtype !== "float32") return "holds integers, not float32"
  const [got, expected] = [`[${shape.join(", ")}]`, `[${wanted.join(", ")}]`]
  return got === expected ? undefined : `has shape ${got}, but config.json makes it ${expected}`
}

const notFinite = ({ data }: HostTensor): string | undefined => {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return `holds ${data[i]} at element ${i}`
  return undefined
}

/**
 * How a BERT of this shape is read from the tensors of a checkpoint, of which only names, shapes and element types are looked at.
 *
 * Fails with `CheckpointError` naming every parameter that is missing, has another shape or element type, or that no such BERT has.
 */
export const plan = (
  given: BertConfig.BertConfig,
  { file, entries }: Pick<Source<never, never>, "file" | "entries">
): Result.Result<Plan, CheckpointError> =>
  Result.mapError(
    planOf(entries, given),
    (problems) =>
      new CheckpointError({
        file,
        problems,
        remedy: "give the folder of a BERT whose config.json belongs to its weights"
      })
  )

/**
 * A BERT of this shape from the tensors of a checkpoint: old names made new, copies of tied parameters dropped, one tensor read after
 * another.
 *
 * The names of the weights decide whether there is a masked-language-model head, and a decoder of its own that equals the word embedding
 * counts as tied. Fails with `CheckpointError`, before any value is read with every parameter that is missing, has another shape or
 * element type, or that no such BERT has; then with the first that is not finite or not the copy that it should be.
 */
export const load = <E, R>(
  given: BertConfig.BertConfig,
  source: Source<E, R>
): Effect.Effect<Loaded, E | CheckpointError, R> =>
  Effect.gen(function* () {
    const fail = (problems: ReadonlyArray<CheckpointProblem>, remedy: string) =>
      new CheckpointError({ file: source.file, problems, remedy })
    const planned = yield* Effect.fromResult(plan(given, source))
    const { config, sources, copies, ignored } = planned
    const finite = (from: string) =>
      Effect.flatMap(source.read(from), (tensor) => {
        const reason = notFinite(tensor)
        return reason === undefined
          ? Effect.succeed(tensor)
          : fail([{ tensor: from, reason }], "give a model whose training went well")
      })
    const valuesOf = Effect.fnUntraced(function* (wanted: ReadonlyArray<PlannedSource>) {
      const values: { [name: string]: HostTensor } = {}
      for (const { name, from } of wanted) values[name] = yield* finite(from)
      return values
    })
    const parameters = yield* valuesOf(sources.filter(({ name }) => name !== decoder))
    const same = (from: string, of: string) => {
      const tensor = parameters[of]
      return tensor === undefined ? Effect.succeed(false) : source.holds(from, tensor)
    }
    for (const { from, of } of copies)
      if (!(yield* same(from, of)))
        return yield* fail(
          [{ tensor: from, reason: `differs from ${of}, which it is tied to` }],
          "set tie_word_embeddings in config.json to false if the decoder shall be its own, or remove that tensor"
        )
    const pooler = Pooler.of(yield* valuesOf(planned.pooler))
    const beside = { ...(pooler === undefined ? {} : { pooler }), ignored }
    if (config.decoder === undefined) return { config, parameters, ...beside }
    const { decoder: own, ...rest } = config
    if (yield* same(decoder, words)) return { config: rest, parameters, ...beside }
    const entries = Object.entries({ ...parameters, [decoder]: yield* finite(decoder) })
    return { config: { ...rest, decoder: own }, parameters: Object.fromEntries(entries.sort(byName)), ...beside }
  })

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

/** What keeps parameters and a pooler from being those of the configuration, each by its name; nothing where they are. */
export const misfits = ({ config, parameters, pooler }: Weights): ReadonlyArray<CheckpointProblem> => {
  const signature = Parameters.signature(Parameters.bert(config), BertConfig.axes(config))
  const shapes: ReadonlyArray<readonly [string, ReadonlyArray<number>]> = [
    ...Object.entries(signature).map(([tensor, { shape }]) => [tensor, shape] as const),
    ...Object.entries(pooler === undefined ? {} : Pooler.shapes(config))
  ]
  const all = { ...parameters, ...Pooler.parameters(pooler) }
  const missing = shapes.flatMap(([tensor, shape]): ReadonlyArray<CheckpointProblem> => {
    const entry = all[tensor]
    const reason = entry === undefined ? "is missing" : misfit(entry, shape)
    return reason === undefined ? [] : [{ tensor, reason }]
  })
  const extra = Object.keys(parameters).filter((name) => !Object.hasOwn(signature, name))
  return [...missing, ...extra.map((tensor) => ({ tensor, reason: "is no parameter of this model" }))]
}

/**
 * The tensors under which Hugging Face's own classes keep a model: a bare encoder's have no prefix, and a decoder of its own has its bias
 * beside its weight, too.
 */
export const toTensors = ({ config, parameters, pooler }: Weights): ParameterValues => {
  const own = parameters[bias]
  const all = { ...parameters, ...Pooler.parameters(pooler) }
  if (config.head === "none")
    return Object.fromEntries(Object.entries(all).map(([name, tensor]) => [name.replace(/^bert\./, ""), tensor]))
  return config.decoder === undefined || own === undefined ? all : { ...all, [decoderBias]: own }
}

/**
 * The same function with Hugging Face's own factor on attention scores: queries take up what the factor loses.
 *
 * After pruning, the factor is still the unpruned model's, which Hugging Face's code does not read; a pruned student that other
 * programs shall run is written in this form. Equal but for rounding (a relative 1e-7 of the queries).
 *
 * @example
 * ```ts
 * import { HuggingFaceWeights } from "homodistil/checkpoint"
 * import { BertConfig, Parameters } from "homodistil/model"
 * import { Seed } from "homodistil/spec"
 * const config = { ...BertConfig.uniform({ vocabSize: 8, positions: 4, layers: 1, heads: 1, hidden: 4, ffn: 4 }), scale: 0.25 }
 * const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0))
 * const usual = HuggingFaceWeights.withUsualScale({ config, parameters })
 * const name = "bert.encoder.layer.0.attention.self.query.weight"
 * assert.equal(usual.config.scale, 0.5)
 * assert.equal(usual.parameters[name]?.data[0], (parameters[name]?.data[0] ?? 0) / 2)
 * ```
 */
export const withUsualScale = ({ config, parameters, pooler }: Weights): Weights => {
  const scale = usualScale(config)
  const factor = config.scale / scale
  const scaled = ([name, tensor]: readonly [string, HostTensor]): readonly [string, HostTensor] =>
    /\.attention\.self\.query\.(weight|bias)$/.test(name)
      ? [name, { ...tensor, data: tensor.data.map((x) => factor * x) }]
      : [name, tensor]
  return {
    config: { ...config, scale },
    parameters: Object.fromEntries(Object.entries(parameters).map(scaled)),
    ...(pooler === undefined ? {} : { pooler })
  }
}
