import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"

/**
 * Something could not be written: where, why, and what to do. What was there before is still there.
 *
 * @example
 * ```ts
 * import { OutputError } from "homodistil/spec"
 * const error = new OutputError({ path: "results", reason: "permission denied", remedy: "choose another folder with --out" })
 * assert.equal(error.message, "cannot write results: permission denied; choose another folder with --out")
 * ```
 */
export class OutputError extends Schema.TaggedError<OutputError>()("OutputError", {
  path: Schema.String,
  reason: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `cannot write ${this.path}: ${this.reason}; ${this.remedy}`
  }
}

/** What to do about an output that cannot be written. */
export const outputRemedy = "choose another folder with --out, or make this one writable"

/**
 * The output error of a file operation that failed, in plain words and one line.
 *
 * @example
 * ```ts
 * import { outputError } from "homodistil/spec"
 * import { systemError } from "effect/PlatformError"
 * const cause = systemError({ _tag: "PermissionDenied", module: "FileSystem", method: "makeDirectory" })
 * assert.equal(outputError("results", cause).reason, "permission denied")
 * ```
 */
export const outputError = (path: string, { reason }: PlatformError): OutputError => {
  const words: { readonly [tag: string]: string } = {
    AlreadyExists: "a file of that name is in the way",
    PermissionDenied: "permission denied"
  }
  const { _tag: kind } = reason
  return new OutputError({
    path,
    reason: words[kind] ?? firstLine(reason),
    remedy: outputRemedy
  })
}

const firstLine = (reason: PlatformError["reason"]): string => {
  const { cause } = reason
  return ((cause instanceof Error ? cause.message : reason.description) ?? reason.message).split("\n")[0] ?? ""
}
