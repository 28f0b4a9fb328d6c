import type { SquadTask } from "../../data/index.ts"
import { Digest } from "../../spec/index.ts"
import type { SpanFineTuneOptions } from "../SpanFineTune.ts"

/** What of the options a reader should know. */
export type Sample = Pick<SpanFineTuneOptions, "train" | "test" | "length">

/**
 * What stands under numbers on SQuAD: the files by their digests, how many of their questions were learned from and judged on, and how long the
 * rows are.
 *
 * @example
 * ```ts
 * import { spanSquad, squadOfJson, tokenizerOfVocabulary } from "homodistil/data"
 * import { Measure } from "homodistil/evaluate"
 * import * as Result from "effect/Result"
 * const qas = [{ id: "1", question: "a", answers: [{ text: "b", answer_start: 2 }] }]
 * const json = JSON.stringify({ data: [{ title: "t", paragraphs: [{ context: "a b", qas }] }] })
 * const file = Result.getOrThrow(squadOfJson("one.json", json))
 * const toy = tokenizerOfVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"], (word) => [word === "a" ? 5 : 6])
 * const [{ note } = {}] = Measure.squad(spanSquad({ train: file, test: file }, toy)).columns
 * assert.match(note ?? "", /^SQuAD 1.1: .*; learned from 1 of 1 questions, judged on 1 of 1 questions, in rows of 64 pieces/)
 * ```
 */
export const of = (
  { files, unanswerable, available }: Pick<SquadTask, "files" | "unanswerable" | "available">,
  { full, small }: { readonly full: Sample; readonly small: Sample }
): string => {
  const split =
    files.test === undefined
      ? `the articles of file ${Digest.short(files.train)} split 80/10/10`
      : `files ${Digest.short(files.train)} to learn from, ${Digest.short(files.test)} to be judged on`
  const sample = (part: "train" | "test"): string =>
    `${full[part]}${small[part] === full[part] ? "" : ` (${small[part]} in a smoke test)`} of ${available[part]} questions`
  const version = unanswerable ? "SQuAD 2.0, in which some questions have no answer" : "SQuAD 1.1"
  return `${version}: ${split}; learned from ${sample("train")}, judged on ${sample("test")}, in rows of ${full.length} pieces. Not the official scores, which take the whole of both files.`
}
