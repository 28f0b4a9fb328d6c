import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { type HostTensor, Tensor } from "../../src/backend/index.ts"
import { BertConfig, Parameters, type ParameterValues, type Pooler } from "../../src/model/index.ts"
import { Seed } from "../../src/spec/index.ts"

/** A BERT of two small layers. */
export const small = BertConfig.uniform({ vocabSize: 11, positions: 6, layers: 2, heads: 2, hidden: 4, ffn: 6 })

/** A student of it, each layer cut differently, with its teacher's factor on attention scores. */
export const uneven: BertConfig.BertConfig = { ...small, hidden: 3, ffn: [5, 2], qk: [2, 4], vo: [4, 2] }

/** Random weights of a model. */
export const weights = (config: BertConfig.BertConfig, seed = 0): ParameterValues =>
  Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(seed))

/** A random pooler of a model. */
export const poolerOf = ({ hidden }: BertConfig.BertConfig, seed = 0): Pooler.Pooler => {
  const drawn = (name: string, shape: ReadonlyArray<number>) =>
    Tensor.host(Seed.normals(Seed.child(Seed.make(seed), name), Tensor.elements(shape)), shape)
  return { weight: drawn("weight", [hidden, hidden]), bias: drawn("bias", [hidden]) }
}

/** The bits of parameters, so that 0 and -0 differ and a NaN equals itself. */
export const bitsOf = (values: ParameterValues) =>
  Object.entries(values).map(([name, { shape, dtype, data }]: readonly [string, HostTensor]) => ({
    name,
    shape: [...shape],
    dtype,
    bits: [...new Uint32Array(data.buffer, data.byteOffset, data.length)]
  }))

/** The object that a JSON text holds. */
export const objectOf = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

/** Runs a test in a folder of its own. */
export const inFolder = <A, E>(
  use: (folder: string, fs: FileSystem.FileSystem) => Effect.Effect<A, E, FileSystem.FileSystem | Path.Path>
): Promise<A> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      return yield* use(yield* fs.makeTempDirectoryScoped(), fs)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
