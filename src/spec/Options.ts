import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { ConfigError, type ConfigProblem } from "./ConfigError.ts"

/** How many: an integer of at least 1. */
export const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

/** A share of the whole that is not nothing: a number in (0, 1]. */
export const Share = Schema.Finite.check(Schema.isBetween({ minimum: 0, exclusiveMinimum: true, maximum: 1 }))

/** A part of the whole, none and all included: a number in [0, 1]. */
export const Fraction = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

/** How much of the past is kept by a running mean (β of Adam or PLATON): a number in [0, 1). */
export const Decay = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1, exclusiveMaximum: true }))

/** A number of at least 0: a weight. */
export const Weight = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))

/** A number above 0. */
export const Positive = Schema.Finite.check(Schema.isGreaterThan(0))

/** An option that may be left out, and then has this value. */
export const withDefault = <S extends Schema.Top & { readonly EncodingServices: never }>(
  schema: S,
  value: S["Encoded"]
) => schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

const format = SchemaIssue.makeFormatterStandardSchemaV1()
const strict = { errors: "all", onExcessProperty: "error" } as const

const at = (value: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
    value
  )

const text = (value: unknown): string =>
  typeof value === "number" || typeof value === "string" || value === undefined ? String(value) : JSON.stringify(value)

/**
 * Decodes the options of a component and fills in its defaults.
 *
 * Throws a `ConfigError` with every wrong, missing or unknown option at once; keys are `<owner>.<option>`.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { Options } from "homodistil/spec"
 * const Window = Schema.Struct({ window: Options.withDefault(Options.Count, 10) })
 * assert.deepEqual(Options.decode("sensitivity", Window, {}), { window: 10 })
 * assert.throws(() => Options.decode("sensitivity", Window, { window: 0 }), /sensitivity\.window = 0: must be a value greater than/)
 * ```
 */
export const decode = <S extends Schema.ConstraintDecoder<unknown>>(
  owner: string,
  schema: S,
  options: unknown
): S["Type"] => {
  const result = decodeResult(owner, schema, options)
  if (Result.isFailure(result)) throw result.failure
  return result.success
}

/**
 * What a constructor makes, or the `ConfigError` that it throws, as a value; anything else that is thrown is a defect.
 *
 * @example
 * ```ts
 * import * as Result from "effect/Result"
 * import { Options } from "homodistil/spec"
 * import { RemainingRatio } from "homodistil/pruning"
 * const [good, bad] = [0.5, 0].map((final) => Options.attempt(() => RemainingRatio.cubic({ final })))
 * assert.ok(good !== undefined && Result.isSuccess(good))
 * assert.ok(bad !== undefined && Result.isFailure(bad) && /cubic\.final = 0/.test(bad.failure.message))
 * ```
 */
export const attempt = <A>(make: () => A): Result.Result<A, ConfigError> => {
  try {
    return Result.succeed(make())
  } catch (cause) {
    if (cause instanceof ConfigError) return Result.fail(cause)
    throw cause
  }
}

/** As `decode`, with the `ConfigError` as a value: for what comes from a file. */
export const decodeResult = <S extends Schema.ConstraintDecoder<unknown>>(
  owner: string,
  schema: S,
  options: unknown
): Result.Result<S["Type"], ConfigError> => {
  const decoder = Schema.decodeUnknownResult(schema, strict)
  const result = decoder(options)
  if (Result.isSuccess(result)) return Result.succeed(result.success)
  const defaults = Result.getOrUndefined(decoder({}))
  const problem = (path: ReadonlyArray<PropertyKey>, message: string): ConfigProblem => {
    const example = at(defaults, path)
    return {
      key: [owner, ...path.map(String)].join("."),
      value: text(at(options, path)),
      bound:
        message === "Missing key"
          ? "given"
          : message
              .replace("Expected no excess property", "an option there is")
              .replace(/^Expected (number|string|boolean)$/, "a $1")
              .replace(/^Expected /, ""),
      remedy: example === undefined ? `see the options of ${owner}` : `use for example ${text(example)}`
    }
  }
  const found = new Map<string, ConfigProblem>()
  for (const { path = [], message } of format(result.failure.issue).issues) {
    const one = problem(
      path.map((part) => (typeof part === "object" ? part.key : part)),
      message
    )
    // a value of the wrong kind breaks its bounds as well: the first complaint says enough
    if (!found.has(one.key)) found.set(one.key, one)
  }
  return Result.fail(new ConfigError({ problems: [...found.values()] }))
}
