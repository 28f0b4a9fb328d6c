import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { Experiment } from "../experiment/index.ts"
import { Listing } from "../report/index.ts"
import { ConfigError } from "../spec/index.ts"

/** What a file may export: an experiment, or a table that nothing has to be run for. */
export type Exhibit = Experiment.ExperimentOptions | Listing.Listing

const key = "EXPERIMENT"

const refuse = (value: string, bound: string, remedy: string) =>
  new ConfigError({ problems: [{ key, value, bound, remedy }] })

const ending = /\.(ts|mts|js|mjs)$/

/** Tables come first, then figures, then what the paper does not have. */
const place = (name: string): number => (name.startsWith("table") ? 0 : name.startsWith("figure") ? 1 : 2)

/** The experiments of a folder by name: its modules. */
const listed = (folder: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const names = yield* Effect.orElseSucceed(fs.readDirectory(folder), (): ReadonlyArray<string> => [])
    const modules = names
      .filter((name) => ending.test(name) && !name.endsWith(".d.ts"))
      .toSorted((a, b) => place(a) - place(b) || (a < b ? -1 : 1))
    return new Map(modules.map((name) => [name.replace(ending, ""), `${folder}/${name}`]))
  })

const load = (asked: string, file: string) =>
  Effect.gen(function* () {
    const url = yield* Effect.orDie((yield* Path.Path).toFileUrl(file))
    const loaded: unknown = yield* Effect.tryPromise({
      try: () => import(url.href),
      catch: (cause) =>
        cause instanceof ConfigError
          ? cause
          : refuse(asked, "a module that can be loaded", `correct it: ${firstLine(cause)}`)
    })
    const made: unknown = typeof loaded === "object" && loaded !== null ? Reflect.get(loaded, "default") : undefined
    const exhibit: Exhibit | undefined = Listing.isListing(made) || Experiment.isExperiment(made) ? made : undefined
    return (
      exhibit ??
      (yield* refuse(
        asked,
        "a module whose default export is an experiment",
        "write export default Experiment.make({ … })"
      ))
    )
  })

const firstLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).split("\n")[0] ?? ""

/**
 * An experiment by name, of those in `folder`, or by the path of its file, whose default export it is.
 *
 * Fails with a `ConfigError` that lists the names there are, or says what is wrong with the file.
 */
export const find = (asked: string, folder: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const known = yield* listed(folder)
    const own = known.get(asked)
    if (own !== undefined) return yield* load(asked, own)
    const file = path.resolve(asked)
    const isPath = ending.test(asked)
    if (isPath && (yield* Effect.orElseSucceed(fs.exists(file), () => false))) return yield* load(asked, file)
    return yield* refuse(
      asked,
      isPath ? "the path of a file that exists" : `all, one of ${[...known.keys()].join(", ")}, or the path of a file`,
      "use for example table6"
    )
  })

/**
 * The exhibits that are asked for: `all` of those in `folder`, or those of them that `only` names, or one by name or path.
 *
 * Fails with a `ConfigError` as `find` does, or when `only` names what there is not.
 */
export const findAll = (asked: string, only: ReadonlyArray<string>, folder: string) =>
  Effect.gen(function* () {
    if (asked !== "all" && only.length === 0) return [yield* find(asked, folder)]
    const known = yield* listed(folder)
    const names = asked === "all" ? [...known.keys()] : [asked]
    const strange = only.filter((name) => !names.includes(name))
    if (strange.length > 0)
      return yield* new ConfigError({
        problems: strange.map((value) => ({
          key: "--only",
          value,
          bound: `among ${names.join(", ")}`,
          remedy: "leave it out, or write it as it is listed"
        }))
      })
    return yield* Effect.forEach(only.length === 0 ? names : names.filter((name) => only.includes(name)), (name) => {
      const file = known.get(name)
      return file === undefined ? find(name, folder) : load(name, file)
    })
  })
