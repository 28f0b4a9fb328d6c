import * as Result from "effect/Result"
import { ConfigError, type ConfigProblem, type Seed } from "../spec/index.ts"
import * as BertConfig from "./BertConfig.ts"
import type { Model } from "./Model.ts"
import * as Parameters from "./Parameters.ts"

/** Whether the model has a masked-language-model head. */
export const present = ({ head }: Pick<BertConfig.BertConfig, "head">): boolean => head !== "none"

/**
 * What to say where something needs the masked-language-model head of a model that has none; `undefined` where it has one. `needs` says what
 * needs it, `key` and `value` are the setting that named the model, `remedy` what can be done there.
 *
 * @example
 * ```ts
 * import { BertConfig, Head } from "homodistil/model"
 * const encoder = { ...BertConfig.micro, head: "none" } as const
 * assert.equal(Head.problem(BertConfig.micro, "the loss kl"), undefined)
 * assert.match(Head.problem(encoder, "the loss kl")?.bound ?? "", /^a model with a masked-language-model head, which the loss kl needs/)
 * ```
 */
export const problem = (
  config: BertConfig.BertConfig,
  needs: string,
  key = "--teacher",
  value = "a bare encoder",
  remedy = "train a head on text first with homodistil adapt, or use losses of features only"
): ConfigProblem | undefined =>
  present(config)
    ? undefined
    : {
        key,
        value,
        bound: `a model with a masked-language-model head, which ${needs} needs`,
        remedy
      }

/** The configuration where it has a head; fails with `ConfigError` where not. */
export const check = (
  config: BertConfig.BertConfig,
  needs: string,
  key?: string,
  value?: string,
  remedy?: string
): Result.Result<BertConfig.BertConfig, ConfigError> => {
  const found = problem(config, needs, key, value, remedy)
  return found === undefined ? Result.succeed(config) : Result.fail(new ConfigError({ problems: [found] }))
}

/**
 * The model with a new masked-language-model head, untrained: its decoder is tied to the word embedding, and the rest starts as BERT's does.
 * A model that has a head stays as it is.
 *
 * @example
 * ```ts
 * import { BertConfig, Head, Model, Parameters } from "homodistil/model"
 * import { Seed } from "homodistil/spec"
 * const config = { ...BertConfig.micro, head: "none" } as const
 * const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0))
 * const made = Head.add({ config, parameters }, Seed.make(1))
 * assert.equal(Model.size(made) - Model.size({ config, parameters }), 128 * 128 + 3 * 128 + 4096)
 * ```
 */
export const add = (model: Model, seed: Seed.Seed): Model => {
  if (present(model.config)) return model
  const { head: _, ...config } = model.config
  const missing = Parameters.bert(config).filter(({ name }) => !Object.hasOwn(model.parameters, name))
  const made = Parameters.initialise(missing, BertConfig.axes(config), seed)
  const all = Object.entries({ ...model.parameters, ...made })
  return { ...model, config, parameters: Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1))) }
}

/**
 * The model without its masked-language-model head: the bare encoder, which is all that losses of features teach a student. A model that has none
 * stays as it is.
 *
 * @example
 * ```ts
 * import { BertConfig, Head, Model, Parameters } from "homodistil/model"
 * import { Seed } from "homodistil/spec"
 * const config = BertConfig.micro
 * const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0))
 * const encoder = Head.remove({ config, parameters })
 * assert.equal(Model.size({ config, parameters }) - Model.size(encoder), 128 * 128 + 3 * 128 + 4096)
 * ```
 */
export const remove = (model: Model): Model => {
  if (!present(model.config)) return model
  const { decoder: _, ...rest } = model.config
  const config: BertConfig.BertConfig = { ...rest, head: "none" }
  const names = new Set(Parameters.bert(config).map(({ name }) => name))
  const left = Object.entries(model.parameters).filter(([name]) => names.has(name))
  return { ...model, config, parameters: Object.fromEntries(left) }
}
