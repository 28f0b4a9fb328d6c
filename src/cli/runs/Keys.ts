import * as Effect from "effect/Effect"
import * as Argument from "effect/cli/Argument"
import { type CellResult, type Entry, RunStore, type StoreError } from "../../experiment/index.ts"
import { ConfigError, type ConfigProblem, Digest } from "../../spec/index.ts"

/** A cell, by the beginning of its key. */
export const cell = (name: string) =>
  Argument.String(name).pipe(Argument.withDescription("a cell: its key, or as much of its beginning as tells it apart"))

const shown = 8

/** Keys as short as they are still told apart, twelve characters at least. */
const apart = (keys: ReadonlyArray<string>): ReadonlyArray<string> => {
  const longest = Math.max(...keys.map((key) => key.length))
  const lengths = Array.from({ length: longest }, (_, i) => i + 1).slice(11)
  const enough = lengths.find((length) => new Set(keys.map((key) => key.slice(0, length))).size === keys.length)
  return keys.map((key) => key.slice(0, enough ?? longest))
}

/**
 * The entry whose key begins so, or what is wrong with that: nothing begins so, or several do, which are named.
 */
export const find = (
  entries: ReadonlyArray<Entry>,
  given: string,
  argument: string,
  folder: string
): Entry | ConfigProblem => {
  const found = entries.filter(({ key }) => key.startsWith(given.toLowerCase()))
  const [first] = found
  if (first !== undefined && (found.length === 1 || first.key === given.toLowerCase())) return first
  const problem = { key: argument, value: given }
  if (first === undefined) {
    const remedy = `see homodistil runs list --store ${folder}`
    return { ...problem, bound: `the beginning of the key of one of the ${entries.length} cells in ${folder}`, remedy }
  }
  const names = apart(found.map(({ key }) => key))
  const more = names.length > shown ? ` and ${names.length - shown} more` : ""
  return {
    ...problem,
    bound: `the beginning of one key; ${names.length} begin so`,
    remedy: `use one of ${names.slice(0, shown).join(", ")}${more}`
  }
}

/** The entries whose keys begin so, each once; fails with all problems at once. */
export const findAll = (
  entries: ReadonlyArray<Entry>,
  given: ReadonlyArray<string>,
  argument: string,
  folder: string
): Effect.Effect<ReadonlyArray<Entry>, ConfigError> => {
  const found = given.map((each) => find(entries, each, argument, folder))
  const problems = found.flatMap((each) => ("bound" in each ? [each] : []))
  if (problems.length > 0) return Effect.fail(new ConfigError({ problems }))
  return Effect.succeed([...new Set(found.flatMap((each) => ("bound" in each ? [] : [each])))])
}

const remedies = {
  running: "wait until the process that works on it is done",
  begun: "run homodistil reproduce again, and it goes on from its last checkpoint",
  damaged: "see homodistil runs verify"
} as const

/** A finished cell of the store, with its curves. */
export const finished = (
  entry: Entry,
  argument: string
): Effect.Effect<CellResult, ConfigError | StoreError, RunStore> =>
  Effect.gen(function* () {
    const cell = yield* (yield* RunStore).get(entry.key)
    if (cell !== undefined) return cell
    const { state } = entry
    const remedy = state === "finished" || state === "diverged" ? "it was removed just now" : remedies[state]
    const bound = `a finished cell; this one is ${state}`
    return yield* new ConfigError({ problems: [{ key: argument, value: Digest.short(entry.key), bound, remedy }] })
  })
