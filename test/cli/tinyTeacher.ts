import * as Effect from "effect/Effect"
import { Tensor } from "homodistil/backend"
import { HuggingFace } from "homodistil/checkpoint"
import { BertConfig, Parameters, type Pooler } from "homodistil/model"
import { Seed } from "homodistil/spec"

/** A random teacher that knows the shipped vocabulary, small enough that a whole distillation takes seconds. */
export const tinyConfig = BertConfig.uniform({
  vocabSize: 4096,
  positions: 64,
  layers: 1,
  heads: 2,
  hidden: 8,
  ffn: 16
})

/** Its weights; random, and loud enough to have something to teach. */
export const tinyModel = (config = tinyConfig) => ({
  config,
  parameters: Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make("tiny"))
})

/** A pooler for it. */
export const tinyPooler = ({ hidden } = tinyConfig): Pooler.Pooler => ({
  weight: Tensor.host(Seed.normals(Seed.make("tiny pooler"), hidden * hidden), [hidden, hidden]),
  bias: Tensor.host(Seed.normals(Seed.make("tiny bias"), hidden))
})

/** Writes it as a Hugging Face directory. */
export const writeTinyTeacher = (directory: string, contents: Partial<HuggingFace.Contents> = {}) =>
  Effect.suspend(() => HuggingFace.write(directory, { ...tinyModel(contents.config), ...contents }))
