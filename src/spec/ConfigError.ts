import * as Schema from "effect/Schema"

const Problem = Schema.Struct({ key: Schema.String, value: Schema.String, bound: Schema.String, remedy: Schema.String })

/** One wrong setting: its key, the value given, what would be legal, and what to do. */
export type ConfigProblem = typeof Problem.Type

/**
 * A configuration that cannot run: every problem of it at once, each with key, value, bound and remedy.
 *
 * @example
 * ```ts
 * import { ConfigError } from "homodistil/spec"
 * const error = new ConfigError({
 *   problems: [{ key: "ratio", value: "0", bound: "a number in (0, 1]", remedy: "give the share of units to keep, e.g. --ratio .25" }]
 * })
 * assert.match(error.message, /ratio = 0: must be a number in \(0, 1\]; give the share/)
 * ```
 */
export class ConfigError extends Schema.TaggedError<ConfigError>()("ConfigError", { problems: Schema.Array(Problem) }) {
  override get message(): string {
    return this.problems.map((p) => `${p.key} = ${p.value}: must be ${p.bound}; ${p.remedy}`).join("\n")
  }
}
