import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { ConfigError, type ConfigProblem, Options } from "../spec/index.ts"

/** How options of components are called on a command line, by the last word of their key, each with a value that works. */
export type Flags = { readonly [option: string]: readonly [flag: string, example: string | number] }

const asFlag =
  (flags: Flags) =>
  (problem: ConfigProblem): ConfigProblem => {
    const [flag, example] = flags[problem.key.split(".").at(-1) ?? ""] ?? []
    return flag === undefined || problem.key.startsWith("--")
      ? problem
      : { ...problem, key: flag, remedy: `use for example ${flag} ${example}` }
  }

/** Makes a component from settings: the `ConfigError` it throws becomes a failure that names the flags. */
export const attempt = <A>(flags: Flags, make: () => A): Effect.Effect<A, ConfigError> =>
  Effect.suspend(() => Effect.fromResult(Options.attempt(make))).pipe(
    Effect.mapError(({ problems }) => new ConfigError({ problems: problems.map(asFlag(flags)) }))
  )

/** Succeeds with a value that holds; otherwise a `ConfigError` that names the flag. */
export const check = <A>(
  flag: string,
  value: A,
  holds: boolean,
  bound: string,
  example: string | number
): Effect.Effect<A, ConfigError> =>
  holds
    ? Effect.succeed(value)
    : Effect.fail(
        new ConfigError({
          problems: [{ key: flag, value: String(value), bound, remedy: `use for example ${flag} ${example}` }]
        })
      )

/** Succeeds with a whole number of at least `least`, and at most `most`. */
export const count = (flag: string, value: number, example: number, least = 1, most = Infinity) =>
  check(
    flag,
    value,
    Number.isInteger(value) && value >= least && value <= most,
    most === Infinity ? `a whole number of at least ${least}` : `a whole number from ${least} to ${most}`,
    example
  )

/** As `count`, for a number that may be left out. */
export const optionalCount = (flag: string, value: Option.Option<number>, example: number, least = 1) =>
  Option.match(value, { onNone: () => Effect.void, onSome: (given) => count(flag, given, example, least) })

/** The seconds between two checkpoints, where they are given. */
export const checkpointEvery = (
  given: Option.Option<number>
): Effect.Effect<{ readonly checkpointEvery?: number }, ConfigError> =>
  Option.match(given, {
    onNone: () => Effect.succeed({}),
    onSome: (seconds) =>
      Effect.map(check("--checkpoint-every", seconds, seconds >= 0, "seconds, at least 0", 60), (checkpointEvery) => ({
        checkpointEvery
      }))
  })

/** One of several named values. */
export const choice = <A>(
  flag: string,
  value: string,
  values: { readonly [name: string]: A }
): Effect.Effect<A, ConfigError> =>
  Object.hasOwn(values, value) && values[value] !== undefined
    ? Effect.succeed(values[value])
    : Effect.fail(
        new ConfigError({
          problems: [
            {
              key: flag,
              value,
              bound: `one of ${Object.keys(values).join(", ")}`,
              remedy: `use for example ${flag} ${Object.keys(values)[0]}`
            }
          ]
        })
      )

/**
 * Fails with the problems of all settings at once, where there are any.
 *
 * The settings are pure, so they can be run here for their problems and again for their values.
 */
export const checkAll = (settings: {
  readonly [name: string]: Effect.Effect<unknown, ConfigError>
}): Effect.Effect<void, ConfigError> =>
  Effect.gen(function* () {
    const results = yield* Effect.forEach(Object.values(settings), Effect.result)
    const problems = results.flatMap((result) => (Result.isFailure(result) ? result.failure.problems : []))
    // two components may read the same flag
    const different = [...new Map(problems.map((problem) => [problem.key, problem])).values()]
    if (different.length > 0) return yield* new ConfigError({ problems: different })
  })
