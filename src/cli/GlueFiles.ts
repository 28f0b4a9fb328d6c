import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import { encodeTask, glueFolders, glueNames, isGlueName, readGlue, type Tokenizer } from "../data/index.ts"
import type { Measure } from "../evaluate/index.ts"
import { ConfigError, type ConfigProblem } from "../spec/index.ts"
import * as Flags from "./Flags.ts"
import * as Settings from "./Settings.ts"

const defaults = { epochs: 3 }

/** The most pieces of a row, as BERT took GLUE's. */
export const longest = 128

/** The flags that give GLUE. */
export const flags = {
  glue: Flag.String("glue").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("folder that GLUE's official files were unpacked in: its tasks in the place of Brown's three"),
    Flag.optional
  ),
  glueTasks: Flag.String("glue-tasks").pipe(
    Flag.withMetavar("LIST"),
    Flag.withDescription(`of ${glueNames.join(", ")} (default: those whose folders are there)`),
    Flag.optional
  ),
  glueExamples: Flag.Int("glue-examples").pipe(
    Flag.withDescription("training texts of each task to learn from, chosen by the seed (default: all)"),
    Flag.optional
  ),
  glueEpochs: Flag.Int("glue-epochs").pipe(
    Flag.withDescription(`passes over them, after each of which is judged (default ${defaults.epochs})`),
    Flag.optional
  )
}

/** What the flags give. */
export interface Options {
  readonly glue: Option.Option<string>
  readonly glueTasks: Option.Option<string>
  readonly glueExamples: Option.Option<number>
  readonly glueEpochs: Option.Option<number>
}

const flagged = (o: Options): ReadonlyArray<readonly [flag: string, value: string]> => {
  const of = (flag: string, given: Option.Option<string | number>) =>
    Option.match(given, { onNone: () => [], onSome: (value) => [[flag, String(value)] as const] })
  return [
    ...of("--glue", o.glue),
    ...of("--glue-tasks", o.glueTasks),
    ...of("--glue-examples", o.glueExamples),
    ...of("--glue-epochs", o.glueEpochs)
  ]
}

/** The options as a command line. */
export const written = (o: Options): ReadonlyArray<string> => flagged(o).flat()

/** Fails with all that is wrong with the flags by themselves. */
export const check = (o: Options): Effect.Effect<void, ConfigError> => {
  const alone: ReadonlyArray<ConfigProblem> = Option.isSome(o.glue)
    ? []
    : flagged(o).map(([key, value]) => ({
        key,
        value,
        bound: "given with the folder of GLUE",
        remedy: "add --glue DIR, or leave it out"
      }))
  const unknown = Flags.optionalParts(o.glueTasks)
    .filter((name) => !isGlueName(name))
    .map((value) => ({
      key: "--glue-tasks",
      value,
      bound: `one of ${glueNames.join(", ")}`,
      remedy: "use for example --glue-tasks sst2,mrpc"
    }))
  const counts = {
    examples: Settings.optionalCount("--glue-examples", o.glueExamples, 1000),
    epochs: Settings.optionalCount("--glue-epochs", o.glueEpochs, defaults.epochs)
  }
  const problems = [...alone, ...unknown]
  return problems.length > 0 ? Effect.fail(new ConfigError({ problems })) : Effect.asVoid(Settings.checkAll(counts))
}

/** The tasks that are asked for, or those whose folders are there; fails where there is none. */
const tasksIn = Effect.fnUntraced(function* (directory: string, asked: Option.Option<string>) {
  if (Option.isSome(asked)) return Flags.optionalParts(asked).filter(isGlueName)
  const found = yield* glueFolders(directory)
  return found.length > 0
    ? found
    : yield* new ConfigError({
        problems: [
          {
            key: "--glue",
            value: directory,
            bound: "a folder with a folder of one of GLUE's tasks in it, such as SST-2 or MRPC",
            remedy: "give the folder that GLUE was unpacked in"
          }
        ]
      })
})

/**
 * The tasks that the flags give, in the pieces of a teacher's tokenizer and rows of at most `length`; nothing where no folder is given.
 *
 * Fails with `TextFileError` where a file is missing or is not in GLUE's format.
 */
export const load = Effect.fnUntraced(function* (
  o: Options,
  tokenizer: Tokenizer,
  { length, vocabulary }: { readonly length: number; readonly vocabulary: number }
) {
  if (Option.isNone(o.glue)) return undefined
  const directory = o.glue.value
  const names = yield* tasksIn(directory, o.glueTasks)
  const tasks = yield* Effect.forEach(names, (name) =>
    Effect.map(readGlue(name, directory), (task) => ({ ...encodeTask(task, tokenizer, length), vocabulary }))
  )
  const given: NonNullable<Measure.Given["texts"]> = {
    tasks,
    options: {
      epochs: Option.getOrElse(o.glueEpochs, () => defaults.epochs),
      ...Option.match(o.glueExamples, { onNone: () => ({}), onSome: (examples) => ({ examples }) })
    }
  }
  return given
})
