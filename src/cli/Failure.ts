import * as Cause from "effect/Cause"
import type * as CliError from "effect/cli/CliError"
import * as Words from "./Words.ts"

/** The exit codes, as `--help` lists them. */
export const exitCodes = {
  done: 0,
  /** Something to correct: a setting, a file, a run that diverged. The message says which. */
  refused: 1,
  /** A bug of homodistil. */
  bug: 70,
  interrupted: 130
} as const

/** A description for `--help`: what a command does, and what its exit codes mean. */
export const withExitCodes = (description: string): string =>
  [
    ...Words.wrap(description, 100),
    "",
    "Exit codes: 0 done; 1 something to correct (a setting, a file, a run that diverged), the message",
    "says what; 2 Node is too old; 70 a bug of homodistil; 130 interrupted."
  ].join("\n  ")

/** What is said about a failure on standard error, and the exit code. */
export interface Report {
  readonly text: string
  readonly code: number
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const bug = (cause: unknown): string => {
  const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
  return [
    "This is a bug of homodistil, not a mistake of yours. Please report it with the command you gave and these lines:",
    ...stack.split("\n").slice(0, 8)
  ].join("\n")
}

/**
 * The report of a cause: failures are for the user to correct and say so in one line each, defects are bugs and show where, an
 * interruption is neither.
 */
export const report = <E>(cause: Cause.Cause<E>): Report => {
  const defect = cause.reasons.find(Cause.isDieReason)
  if (defect !== undefined) return { text: bug(defect.defect), code: exitCodes.bug }
  const failures = cause.reasons.filter(Cause.isFailReason).map((reason) => messageOf(reason.error))
  if (failures.length > 0) return { text: [...new Set(failures)].join("\n"), code: exitCodes.refused }
  return { text: "stopped; what was finished before is kept", code: exitCodes.interrupted }
}

const one = (error: CliError.NonShowHelpErrors, help: string): string => {
  const { message } = error
  switch (error._tag) {
    case "UnrecognizedOption":
      return `${error.option}: there is no such option; ${hint(error.suggestions, help)}`
    case "UnknownSubcommand":
      return `${error.subcommand}: there is no such command; ${hint(error.suggestions, help)}`
    case "InvalidValue":
      return `${error.kind === "flag" ? "--" : ""}${error.option} = ${error.value}: must be ${error.expected.replace(/^Expected /, "")}; see ${help}`
    case "DuplicateOption":
    case "MissingOption":
    case "MissingArgument":
    case "UnexpectedArgument":
    case "ValidationError":
    case "UserError":
      return `${message.replace(/\.$/, "")}; see ${help}`
  }
}

const hint = (suggestions: ReadonlyArray<string>, help: string): string =>
  suggestions.length === 0 ? `see ${help}` : `did you mean ${suggestions.join(" or ")}? see ${help}`

/** What is said about a command line that cannot be parsed. */
export const invocation = (
  errors: ReadonlyArray<CliError.NonShowHelpErrors>,
  commandPath: ReadonlyArray<string>
): string => [...new Set(errors.map((error) => one(error, `${commandPath.join(" ")} --help`)))].join("\n")
