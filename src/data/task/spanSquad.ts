import { ConfigError, type Digest, Seed, Spec } from "../../spec/index.ts"
import type { SplitName } from "../Corpus.ts"
import { attentionOf } from "../Masking.ts"
import type { SpecialIds } from "../wordpiece/PieceIds.ts"
import type { SpanExamples, SpanTask } from "../Span.ts"
import type { SquadAnswer, SquadFile, SquadQuestion } from "../Squad.ts"
import { refuseCount } from "../Task.ts"
import { covering, type TextPieces, textPieces } from "../TextPieces.ts"
import { type Tokenizer, vocabularyDigest } from "../Tokenizer.ts"

/** SQuAD as a task: the files it is made from, `train` alone where one file is split, and how many questions it has to take from each split. */
export interface SquadTask extends SpanTask {
  readonly files: { readonly train: Digest.Digest; readonly test?: Digest.Digest }
  readonly available: Readonly<Record<SplitName, number>>
}

/** How the answers of a file lie in its contexts' pieces. */
export interface SquadAlignment {
  readonly questions: number
  /** Questions without an answer. */
  readonly unanswerable: number
  readonly answers: number
  /** Answers that do not stand in the context where the file says; never learned from. */
  readonly misplaced: number
  /** Answers that begin or end inside a piece; learned as the pieces that cover them. */
  readonly misaligned: number
}

const isPlaced = ({ context }: SquadQuestion, { text, start }: SquadAnswer): boolean => context.startsWith(text, start)

/** The pieces of every context, cut once. */
const contextPieces = (tokenizer: Tokenizer): ((context: string) => TextPieces) => {
  const known = new Map<string, TextPieces>()
  return (context) => {
    const found = known.get(context) ?? textPieces(tokenizer, context)
    known.set(context, found)
    return found
  }
}

/** Counts how the answers of a file align with the pieces of its contexts. */
export const squadAlignment = ({ questions }: SquadFile, tokenizer: Tokenizer): SquadAlignment => {
  const piecesOf = contextPieces(tokenizer)
  let [unanswerable, answers, misplaced, misaligned] = [0, 0, 0, 0]
  for (const question of questions) {
    if (question.answers.length === 0) unanswerable++
    for (const answer of question.answers) {
      answers++
      const pieces = piecesOf(question.context)
      const end = answer.start + answer.text.length
      const found = covering(pieces, answer.start, end)
      if (!isPlaced(question, answer)) misplaced++
      else if (found === undefined || pieces.from[found.first] !== answer.start || pieces.to[found.last] !== end)
        misaligned++
    }
  }
  return { questions: questions.length, unanswerable, answers, misplaced, misaligned }
}

/** The fewest pieces of context that a row must have room for. */
const leastRoom = 8

/** The articles of one file split 80/10/10 by a constant seed, at least one to judge on where there are two. */
const splitArticles = ({ questions }: SquadFile): ReadonlyMap<string, SplitName> => {
  const titles = [...new Set(questions.map(({ title }) => title))].sort()
  const held = Math.max(1, Math.round(titles.length / 10))
  const order = Seed.permutation(Seed.make("squad-split-1"), titles.length)
  return new Map(
    [...order].map((title, rank): readonly [string, SplitName] => [
      titles[title] ?? "",
      rank < held ? "test" : rank < 2 * held ? "validation" : "train"
    ])
  )
}

/**
 * SQuAD: a question and its context as a pair, [CLS] question [SEP] context [SEP] (Devlin et al. 2019, §4.2-4.3).
 *
 * A question is cut to `longestQuestion` pieces; a context longer than the room left is shown in windows `stride` pieces apart
 * (or less where the room is smaller), each a row; a row that does not hold the whole answer points at [CLS]. The first answer
 * that stands in its context is learned from; a training question without one is left out, unless it has no answer at all.
 * With one file its articles are split 80/10/10; with two, the questions to be judged on come from `test`. What is sampled is
 * questions. `examples` throws `ConfigError` where there are fewer, rows are too short, or the dataset's vocabulary is another.
 *
 * @example
 * ```ts
 * import { spanSquad, squadOfJson, tokenizerOfVocabulary } from "homodistil/data"
 * import * as Result from "effect/Result"
 * const qas = [{ id: "1", question: "a", answers: [{ text: "b", answer_start: 2 }] }]
 * const json = JSON.stringify({ data: [{ title: "t", paragraphs: [{ context: "a b", qas }] }] })
 * const file = Result.getOrThrow(squadOfJson("one.json", json))
 * const toy = tokenizerOfVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"], (word) => [word === "a" ? 5 : 6])
 * const task = spanSquad({ train: file, test: file }, toy)
 * assert.deepEqual([task.available.train, task.available.test, task.unanswerable], [1, 1, false])
 * ```
 */
export const spanSquad = (
  files: { readonly train: SquadFile; readonly test?: SquadFile },
  tokenizer: Tokenizer,
  options: { readonly stride?: number; readonly longestQuestion?: number } = {}
): SquadTask => {
  const { stride = 32, longestQuestion = 20 } = options
  const { train, test } = files
  for (const [key, value] of [
    ["stride", stride],
    ["longestQuestion", longestQuestion]
  ] as const)
    if (!(Number.isInteger(value) && value >= 1))
      throw refusal(key, value, "a whole number of at least 1", "BERT takes a stride of 128 and questions of 64")
  const articles = splitArticles(train)
  const inSplit = (name: SplitName): ReadonlyArray<SquadQuestion> =>
    test === undefined
      ? train.questions.filter(({ title }) => articles.get(title) === name)
      : name === "validation"
        ? []
        : (name === "train" ? train : test).questions
  const learnable = (question: SquadQuestion): boolean =>
    question.answers.length === 0 || question.answers.some((answer) => isPlaced(question, answer))
  const splits = { train: inSplit("train").filter(learnable), validation: inSplit("validation"), test: inSplit("test") }
  const digests = { train: train.digest, ...(test === undefined ? {} : { test: test.digest }) }
  const piecesOf = contextPieces(tokenizer)
  return {
    spec: Spec.make("spanSquad", { options: { files: digests, stride, longestQuestion }, parts: [tokenizer.spec] }),
    kind: "span",
    files: digests,
    unanswerable: train.unanswerable || test?.unanswerable === true,
    available: { train: splits.train.length, validation: splits.validation.length, test: splits.test.length },
    examples: (dataset, sampling) => {
      const { count, length, seed, split } = sampling
      const from = splits[split]
      refuseCount("spanSquad", sampling, from.length)
      const least = longestQuestion + leastRoom + 3
      if (length < least)
        throw refusal("length of spanSquad", length, `at least ${least}`, "take longer rows or shorter questions")
      if (vocabularyDigest(dataset.vocabulary) !== tokenizer.digest)
        throw refusal(
          "vocabulary of spanSquad",
          "another than the model's",
          "the model's",
          "cut SQuAD with the model's tokenizer"
        )
      const order = Seed.permutation(Seed.child(seed, "questions"), from.length).subarray(0, count)
      const chosen = [...order].flatMap((n) => from[n] ?? [])
      const rows = chosen.flatMap((question, n) =>
        windowsOf(question, n, piecesOf(question.context), tokenizer, { length, stride, longestQuestion })
      )
      return examplesOf(chosen, rows, length, tokenizer.special)
    }
  }
}

const refusal = (key: string, value: number | string, bound: string, remedy: string): ConfigError =>
  new ConfigError({ problems: [{ key, value: String(value), bound, remedy }] })

/** A row to be: a question's pieces, and the pieces `first` … `last` (not included) of its context. */
interface Window {
  readonly question: number
  readonly context: string
  readonly asked: ReadonlyArray<number>
  readonly pieces: TextPieces
  readonly first: number
  readonly last: number
  /** The answer's first and last piece in the context. */
  readonly answer: { readonly first: number; readonly last: number } | undefined
}

const windowsOf = (
  asked: SquadQuestion,
  question: number,
  pieces: TextPieces,
  tokenizer: Tokenizer,
  {
    length,
    stride,
    longestQuestion
  }: { readonly length: number; readonly stride: number; readonly longestQuestion: number }
): ReadonlyArray<Window> => {
  const ids = textPieces(tokenizer, asked.question).ids.slice(0, longestQuestion)
  const room = length - ids.length - 3
  const learned = asked.answers.find((answer) => isPlaced(asked, answer))
  const answer =
    learned === undefined ? undefined : covering(pieces, learned.start, learned.start + learned.text.length)
  const count = 1 + Math.max(0, Math.ceil((pieces.ids.length - room) / Math.min(stride, room)))
  return Array.from({ length: count }, (_, n) => {
    const first = n * Math.min(stride, room)
    const last = Math.min(first + room, pieces.ids.length)
    return { question, context: asked.context, asked: ids, pieces, first, last, answer }
  })
}

const examplesOf = (
  chosen: ReadonlyArray<SquadQuestion>,
  rows: ReadonlyArray<Window>,
  length: number,
  special: SpecialIds
): SpanExamples => {
  const count = rows.length
  const of = () => new Int32Array(count * length)
  const [ids, types, from, to] = [of(), of(), of(), of()]
  ids.fill(special.pad)
  const allowed = new Float32Array(count * length)
  const [starts, ends] = [new Int32Array(count), new Int32Array(count)]
  rows.forEach(({ asked, pieces, first, last, answer }, row) => {
    const at = row * length
    const begin = asked.length + 2
    const end = begin + last - first
    ids.set([special.cls, ...asked, special.sep, ...pieces.ids.slice(first, last), special.sep], at)
    types.fill(1, at + begin, at + end + 1)
    from.set(pieces.from.slice(first, last), at + begin)
    to.set(pieces.to.slice(first, last), at + begin)
    allowed.fill(1, at + begin, at + end)
    allowed[at] = 1
    if (answer === undefined || answer.first < first || answer.last >= last) return
    starts[row] = begin + answer.first - first
    ends[row] = begin + answer.last - first
  })
  return {
    count,
    length,
    ids,
    attention: attentionOf(ids, special) ?? new Float32Array(ids.length).fill(1),
    types,
    questions: Int32Array.from(rows, ({ question }) => question),
    answers: chosen.map(({ answers }) => answers.map(({ text }) => text)),
    starts,
    ends,
    allowed,
    contexts: rows.map(({ context }) => context),
    from,
    to
  }
}
