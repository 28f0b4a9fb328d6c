import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type CheckpointError, Safetensors } from "../checkpoint/index.ts"
import type { StepState } from "../distill/index.ts"
import { BertConfig, type ParameterValues } from "../model/index.ts"
import { PrunePlan } from "../pruning/index.ts"
import type { ConfigError } from "../spec/index.ts"
import * as Cell from "./Cell.ts"
import * as StateTensors from "./StateTensors.ts"

/** A cell that is not finished: the state of its run between two steps, and what was seen until then. */
export interface CellCheckpoint {
  readonly state: StepState.StepState
  readonly curve: ReadonlyArray<Cell.Point>
  readonly path: ReadonlyArray<Cell.Shape>
  readonly trajectory: ReadonlyArray<Cell.Checked>
  /** What has been measured of the student at the end, by the id of the column. */
  readonly measures: { readonly [id: string]: number }
  /** Milliseconds of its own work so far, and those of them spent on measuring. */
  readonly spent: number
  readonly measuring: number
  /** How often it was begun again before. */
  readonly resumed: number
}

/** All of a checkpoint but its tensors, in the file's metadata. */
const Head = Schema.fromJsonString(
  Schema.Struct({
    step: Schema.Int,
    config: BertConfig.Encoded,
    kept: Schema.Json,
    masked: Schema.Boolean,
    curve: Cell.Measured.fields.curve,
    path: Cell.Measured.fields.path,
    trajectory: Cell.Measured.fields.trajectory,
    measures: Cell.Measured.fields.measures,
    spent: Schema.Finite,
    measuring: Schema.Finite,
    resumed: Schema.Int
  })
)

const metadataKey = "homodistil"
const separator = "|"

/** The name of a tensor in the file: `params|<name>`, `moments|<slot>|<name>`, `slots|<slot>|<name>`. */
const nameOf = (...path: ReadonlyArray<string>): string => path.join(separator)

/** The tensors under a prefix, without it. */
const within = (values: ParameterValues, prefix: string): ParameterValues =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      name.startsWith(prefix + separator) ? [[name.slice(prefix.length + 1), value]] : []
    )
  )

/** The tensors under a prefix by slot. */
const bySlot = (values: ParameterValues, prefix: string): { readonly [slot: string]: ParameterValues } => {
  const inner = within(values, prefix)
  const slots = new Set(Object.keys(inner).map((name) => name.slice(0, name.indexOf(separator))))
  return Object.fromEntries([...slots].map((slot) => [slot, within(inner, slot)]))
}

/** A checkpoint as bytes: a safetensors file, whose metadata holds what is no tensor. */
export const encode = ({ state, ...seen }: CellCheckpoint): Uint8Array => {
  const { train, kept, step, config, masked } = state
  const head = { step, config, kept: PrunePlan.toJson(kept), masked, ...seen }
  return Safetensors.encode(StateTensors.flat(train, nameOf), { [metadataKey]: JSON.stringify(head) })
}

/**
 * The checkpoint that bytes hold; exactly what was encoded.
 *
 * Fails where the bytes are no checkpoint: `CheckpointError` for the tensors, `SchemaError` or `ConfigError` for the rest.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { CellCheckpoint } from "homodistil/experiment"
 * const error = Effect.runSync(Effect.flip(CellCheckpoint.decode(new Uint8Array(4))))
 * assert.equal(error._tag, "CheckpointError")
 * ```
 */
export const decode = (
  bytes: Uint8Array
): Effect.Effect<CellCheckpoint, CheckpointError | ConfigError | Schema.SchemaError> =>
  Effect.gen(function* () {
    const { values, metadata } = yield* Effect.fromResult(Safetensors.decode(bytes, { file: "checkpoint" }))
    const { step, config, kept, masked, ...seen } = yield* Schema.decodeUnknownEffect(Head)(metadata[metadataKey])
    const train = {
      params: within(values, "params"),
      moments: bySlot(values, "moments"),
      slots: bySlot(values, "slots")
    }
    return { state: { step, config, kept: yield* PrunePlan.fromJson(kept), masked, train }, ...seen }
  })
