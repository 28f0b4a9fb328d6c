import * as Schema from "effect/Schema"

const Problem = Schema.Struct({ tensor: Schema.optionalKey(Schema.String), reason: Schema.String })

/** What is wrong with a checkpoint's file: the tensor where it is about one, and the reason. */
export type CheckpointProblem = typeof Problem.Type

/**
 * A checkpoint's file that cannot be used: every problem found in it at once, and what to do.
 *
 * @example
 * ```ts
 * import { CheckpointError } from "homodistil/checkpoint"
 * const error = new CheckpointError({
 *   file: "model.safetensors",
 *   problems: [{ tensor: "bert.embeddings.LayerNorm.bias", reason: "is missing" }],
 *   remedy: "write the checkpoint again"
 * })
 * assert.equal(error.message, "model.safetensors: bert.embeddings.LayerNorm.bias is missing; write the checkpoint again")
 * ```
 */
export class CheckpointError extends Schema.TaggedError<CheckpointError>()("CheckpointError", {
  file: Schema.String,
  problems: Schema.Array(Problem),
  remedy: Schema.String
}) {
  override get message(): string {
    const lines = this.problems.map(({ tensor, reason }) => [tensor, reason].filter((x) => x !== undefined).join(" "))
    return `${this.file}: ${lines.join("\n  ")}; ${this.remedy}`
  }
}

const most = 100

/** The first hundred problems and how many more there are: a broken file can have as many as it has bytes. */
export const fewOf = (problems: ReadonlyArray<CheckpointProblem>): ReadonlyArray<CheckpointProblem> =>
  problems.length <= most
    ? problems
    : [...problems.slice(0, most), { reason: `has ${problems.length - most} more problems` }]
