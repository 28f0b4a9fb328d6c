import { spanPhrase, type SpanTask, type SquadTask } from "../../data/index.ts"
import * as SpanFineTune from "../SpanFineTune.ts"
import * as Tuning from "../Tuning.ts"
import { inPlaceOf, type Measure, type Sized } from "./Measure.ts"
import { percent, sized, tuningSeed } from "./sized.ts"
import * as SquadNote from "./SquadNote.ts"

/**
 * How well the model finds answers after fine-tuning all its weights: exact match and F1 as SQuAD counts them, `SpanFineTune.run`;
 * the noun phrases of Brown (`spanPhrase`) unless another task is given, or a user gives SQuAD (`on`). The run's seed decides as in `fineTune`.
 *
 * Throws `ConfigError` with every illegal option at once.
 *
 * @example
 * ```ts
 * import { Measure } from "homodistil/evaluate"
 * assert.deepEqual(Measure.span().columns.map((column) => column.id), ["span.exact", "span.f1"])
 * ```
 */
export const span = (options: Sized<SpanFineTune.SpanFineTuneOptions> & { readonly task?: SpanTask } = {}): Measure => {
  const { task: which = spanPhrase(), full = {}, small = {} } = options
  const own = spanOf(which, { full, small }, { id: "span", names: ["Exact match", "F1"] })
  if (options.task !== undefined) return own
  const columns = own.columns.map((column) => ({ ...column, note: phraseNote }))
  return {
    ...own,
    columns,
    on: ({ squad: given }) => {
      if (given === undefined) return undefined
      const { task: files, length } = given
      return inPlaceOf(squad(files, { full: { length, ...full }, small: { length, ...small } }), columns)
    }
  }
}

const phraseNote =
  "The span is the longest base noun phrase of a sentence of Brown; at micro scale a guess by position alone has 4.8 % exact matches and an F1 of 14.8 %, and a model of random weights that is fine-tuned alike about 30 and 57 %."

/** A measure by span fine-tuning: its columns are `<id>.exact` and `<id>.f1`. */
const spanOf = (
  which: SpanTask,
  options: Sized<SpanFineTune.SpanFineTuneOptions>,
  shown: { readonly id: string; readonly names: readonly [exact: string, f1: string]; readonly note?: string }
): Measure => {
  const { id, names, ...note } = shown
  return sized({
    name: "span",
    columns: [
      { id: `${id}.exact`, name: names[0], ...percent, ...note },
      { id: `${id}.f1`, name: names[1], ...percent, ...note }
    ],
    full: SpanFineTune.make(which, options.full),
    small: SpanFineTune.make(which, { ...SpanFineTune.small, ...options.small }),
    run: (what, context) => SpanFineTune.run(what, context.model, context.dataset, tuningSeed(which, context)),
    values: ({ exact, f1 }) => ({ [`${id}.exact`]: 100 * exact, [`${id}.f1`]: 100 * f1 }),
    flops: ({ options }, config) => Tuning.flops(options, config)
  })
}

/**
 * Exact match and F1 on SQuAD as `span` measures them, in rows of 64 pieces unless another length is given; as many questions as the micro
 * scale takes, or as the files have.
 *
 * Throws `ConfigError` with every illegal option at once.
 *
 * @example
 * ```ts
 * import { squadOfJson, spanSquad, tokenizerOfVocabulary } from "homodistil/data"
 * import { Measure } from "homodistil/evaluate"
 * import * as Result from "effect/Result"
 * const qas = [{ id: "1", question: "a", answers: [{ text: "b", answer_start: 2 }] }]
 * const json = JSON.stringify({ data: [{ title: "t", paragraphs: [{ context: "a b", qas }] }] })
 * const file = Result.getOrThrow(squadOfJson("one.json", json))
 * const toy = tokenizerOfVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"], (word) => [word === "a" ? 5 : 6])
 * const measure = Measure.squad(spanSquad({ train: file, test: file }, toy))
 * assert.deepEqual(measure.columns.map((column) => column.id), ["squad.exact", "squad.f1"])
 * ```
 */
export const squad = (which: SquadTask, options: Sized<SpanFineTune.SpanFineTuneOptions> = {}): Measure => {
  const { train, test } = which.available
  const bounded = (of: SpanFineTune.SpanFineTuneOptions): SpanFineTune.SpanFineTuneOptions => ({
    ...of,
    train: Math.max(1, Math.min(of.train, train)),
    test: Math.max(1, Math.min(of.test, test))
  })
  const full = bounded({ ...SpanFineTune.defaults, length: 64, ...options.full })
  const small = bounded({ ...SpanFineTune.small, length: 64, ...options.small })
  return spanOf(
    which,
    { full, small },
    {
      id: "squad",
      names: ["SQuAD, exact match", "SQuAD, F1"],
      note: SquadNote.of(which, { full, small })
    }
  )
}
