import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { Digest } from "../spec/index.ts"

/** A right answer: its text, and where in the context it begins (UTF-16, as in `slice`; the file counts code points). */
export interface SquadAnswer {
  readonly text: string
  readonly start: number
}

/** A question about a context; without answers where the context does not tell (SQuAD 2). */
export interface SquadQuestion {
  readonly id: string
  /** The article its context is from. */
  readonly title: string
  readonly question: string
  readonly context: string
  readonly answers: ReadonlyArray<SquadAnswer>
}

/** A file of questions, named by the digest of its bytes. */
export interface SquadFile {
  readonly digest: Digest.Digest
  readonly questions: ReadonlyArray<SquadQuestion>
  /** Whether some question has no answer: SQuAD 2. */
  readonly unanswerable: boolean
}

const Problem = Schema.Struct({ field: Schema.String, reason: Schema.String })

/**
 * A file that is not in SQuAD's format: the file, the fields that are wrong, and what to do.
 *
 * @example
 * ```ts
 * import { SquadError } from "homodistil/data"
 * const problems = [{ field: "data.0.title", reason: "Missing key" }]
 * const error = new SquadError({ file: "dev.json", problems, remedy: "give a file of SQuAD 1.1 or 2.0" })
 * assert.equal(error.message, "dev.json: data.0.title: Missing key; give a file of SQuAD 1.1 or 2.0")
 * ```
 */
export class SquadError extends Schema.TaggedError<SquadError>()("SquadError", {
  file: Schema.String,
  problems: Schema.Array(Problem),
  remedy: Schema.String
}) {
  override get message(): string {
    const lines = this.problems.map(({ field, reason }) => (field === "" ? reason : `${field}: ${reason}`))
    return `${this.file}: ${lines.join("\n  ")}; ${this.remedy}`
  }
}

const Answer = Schema.Struct({
  text: Schema.String,
  answer_start: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
})

const SquadJson = Schema.Struct({
  data: Schema.Array(
    Schema.Struct({
      title: Schema.String,
      paragraphs: Schema.Array(
        Schema.Struct({
          context: Schema.String,
          qas: Schema.Array(
            Schema.Struct({
              id: Schema.String,
              question: Schema.String,
              answers: Schema.Array(Answer),
              is_impossible: Schema.optionalKey(Schema.Boolean)
            })
          )
        })
      )
    })
  )
})

const remedy = "give a file of SQuAD 1.1 or 2.0, such as train-v1.1.json or dev-v2.0.json"

/** So many wrong fields are told; a file of another format would have thousands. */
const mostProblems = 10

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** The place in UTF-16 of the code point with this number. */
const unitsOf = (text: string, points: number): number => {
  let units = 0
  for (let point = 0; point < points && units < text.length; point++)
    units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1
  return units
}

const questionsOf = ({ data }: typeof SquadJson.Type): ReadonlyArray<SquadQuestion> =>
  data.flatMap(({ title, paragraphs }) =>
    paragraphs.flatMap(({ context, qas }) =>
      qas.map(({ id, question, answers, is_impossible }) => ({
        id,
        title,
        question,
        context,
        answers:
          is_impossible === true
            ? []
            : answers.map(({ text, answer_start }) => ({ text, start: unitsOf(context, answer_start) }))
      }))
    )
  )

/** The fields of questions that neither have an answer nor say that there is none. */
const withoutAnswer = ({ data }: typeof SquadJson.Type): ReadonlyArray<typeof Problem.Type> =>
  data.flatMap(({ paragraphs }, a) =>
    paragraphs.flatMap(({ qas }, p) =>
      qas.flatMap(({ answers, is_impossible }, q) =>
        answers.length > 0 || is_impossible === true
          ? []
          : [
              {
                field: `data.${a}.paragraphs.${p}.qas.${q}.answers`,
                reason: "has no answer, and is_impossible is not true"
              }
            ]
      )
    )
  )

/**
 * The questions of a text in SQuAD's JSON format, 1.1 or 2.0; `file` names it in errors.
 *
 * Fails with `SquadError` when the text is not JSON, a field is missing or of the wrong kind, or there is no question.
 *
 * @example
 * ```ts
 * import { squadOfJson } from "homodistil/data"
 * import * as Result from "effect/Result"
 * const qas = [{ id: "1", question: "Who?", answers: [{ text: "Ada", answer_start: 3 }] }]
 * const json = JSON.stringify({ data: [{ title: "t", paragraphs: [{ context: "By Ada", qas }] }] })
 * const { questions } = Result.getOrThrow(squadOfJson("one.json", json))
 * assert.deepEqual(questions[0]?.answers, [{ text: "Ada", start: 3 }])
 * ```
 */
export const squadOfJson = (file: string, json: string): Result.Result<SquadFile, SquadError> => {
  const refuse = (problems: ReadonlyArray<typeof Problem.Type>) =>
    Result.fail(new SquadError({ file, problems: problems.slice(0, mostProblems), remedy }))
  const decoded = Schema.decodeUnknownResult(Schema.fromJsonString(SquadJson), { errors: "all" })(json)
  if (Result.isFailure(decoded))
    return refuse(
      format(decoded.failure.issue).issues.map(({ path = [], message }) => ({
        field: path.map((part) => String(typeof part === "object" ? part.key : part)).join("."),
        reason: message
      }))
    )
  const missing = withoutAnswer(decoded.success)
  if (missing.length > 0) return refuse(missing)
  const questions = questionsOf(decoded.success)
  if (questions.length === 0) return refuse([{ field: "data", reason: "holds no question" }])
  const unanswerable = questions.some(({ answers }) => answers.length === 0)
  return Result.succeed({ digest: Digest.ofBytes(json), questions, unanswerable })
}

/** Reads a file in SQuAD's JSON format; fails with `SquadError` when it is unreadable or not in that format. */
export const readSquad = Effect.fn("readSquad")(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const json = yield* fs
    .readFileString(path)
    .pipe(
      Effect.mapError(() => new SquadError({ file: path, problems: [{ field: "", reason: "cannot be read" }], remedy }))
    )
  return yield* Effect.fromResult(squadOfJson(path, json))
})
