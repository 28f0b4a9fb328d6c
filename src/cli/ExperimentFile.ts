import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { Experiment } from "../experiment/index.ts"
import { ConfigError } from "../spec/index.ts"

const key = "EXPERIMENT"

const refuse = (value: string, bound: string, remedy: string) =>
  new ConfigError({ problems: [{ key, value, bound, remedy }] })

const ending = /\.(ts|mts|js|mjs)$/

/** The experiments of a folder by name: its modules. */
const listed = (folder: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const names = yield* Effect.orElseSucceed(fs.readDirectory(folder), (): ReadonlyArray<string> => [])
    const modules = names.filter((name) => ending.test(name) && !name.endsWith(".d.ts")).toSorted()
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
    if (Experiment.isExperiment(made)) return made
    return yield* refuse(
      asked,
      "a module whose default export is an experiment",
      "write export default Experiment.make({ … })"
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
      isPath ? "the path of a file that exists" : `one of ${[...known.keys()].join(", ")}, or the path of a file`,
      "use for example table6"
    )
  })
