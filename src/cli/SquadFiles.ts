import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import { readSquad, SquadError, type SquadFile, spanSquad, type SquadTask, type Tokenizer } from "../data/index.ts"
import { ConfigError } from "../spec/index.ts"

/** The flags that give SQuAD. */
export const flags = {
  squad: Flag.String("squad").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(
      "SQuAD 1.1 or 2.0 (train-v1.1.json), in the place of Brown's spans wherever they are measured; its articles are split 80/10/10 unless --squad-dev is given"
    ),
    Flag.optional
  ),
  squadDev: Flag.String("squad-dev").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("the SQuAD file to be judged on (dev-v1.1.json); all of --squad is then learned from"),
    Flag.optional
  )
}

/** What the flags give. */
export interface Options {
  readonly squad: Option.Option<string>
  readonly squadDev: Option.Option<string>
}

/** The options as a command line. */
export const written = ({ squad, squadDev }: Options): ReadonlyArray<string> => [
  ...Option.match(squad, { onNone: () => [], onSome: (file) => ["--squad", file] }),
  ...Option.match(squadDev, { onNone: () => [], onSome: (file) => ["--squad-dev", file] })
]

/** Fails where a file to be judged on is given, but none to learn from. */
export const check = ({ squad, squadDev }: Options): Effect.Effect<void, ConfigError> =>
  Option.isNone(squad) && Option.isSome(squadDev)
    ? Effect.fail(
        new ConfigError({
          problems: [
            {
              key: "--squad-dev",
              value: squadDev.value,
              bound: "given with the file to learn from",
              remedy: "add --squad train-v1.1.json, or give this one file as --squad"
            }
          ]
        })
      )
    : Effect.void

/** The fewest articles of one file of which some are learned from, and one is judged on. */
const leastArticles = 3

const read = (path: string) =>
  Effect.gen(function* () {
    const file = yield* readSquad(path)
    if (file.questions.every(({ answers }) => answers.length === 0))
      return yield* new SquadError({
        file: path,
        problems: [{ field: "data", reason: "holds no question that has an answer" }],
        remedy: "give a file in which is_impossible is not true of every question"
      })
    return file
  })

const expectArticles = (path: string, { questions }: SquadFile): Effect.Effect<void, SquadError> => {
  const articles = new Set(questions.map(({ title }) => title)).size
  return articles >= leastArticles
    ? Effect.void
    : Effect.fail(
        new SquadError({
          file: path,
          problems: [
            {
              field: "data",
              reason: `holds questions on ${articles === 1 ? "one article" : `${articles} articles`}, and a single file is split by article, which takes ${leastArticles}`
            }
          ],
          remedy: "add the file to be judged on: --squad-dev dev-v1.1.json"
        })
      )
}

/** A question and the context around its answer share a row; BERT takes questions of 64 pieces and a stride of 128 in rows of 384. */
const rowsOf = (length: number) => ({ stride: Math.floor(length / 2), longestQuestion: Math.floor((5 * length) / 16) })

/**
 * The task that the flags give for rows of `length` pieces; none where no file is given.
 *
 * Fails with `SquadError` where a file cannot be read, is not in SQuAD's format, or has nothing to learn from or to be judged on.
 */
export const load = Effect.fnUntraced(function* ({ squad, squadDev }: Options, tokenizer: Tokenizer, length: number) {
  if (Option.isNone(squad)) return undefined
  const train = yield* read(squad.value)
  if (Option.isNone(squadDev)) yield* expectArticles(squad.value, train)
  const files = Option.isNone(squadDev) ? { train } : { train, test: yield* read(squadDev.value) }
  const task: SquadTask = spanSquad(files, tokenizer, rowsOf(length))
  if (task.available.train === 0)
    return yield* new SquadError({
      file: squad.value,
      problems: [{ field: "data", reason: "has no question to learn from: no text stands where answer_start says" }],
      remedy: "give a file whose answer_start counts the characters of its context"
    })
  return task
})
