import { ConfigError, type ConfigProblem, Seed, Spec } from "../spec/index.ts"
import type { SplitName } from "./Corpus.ts"
import type { Dataset } from "./Dataset.ts"
import type { Document, Documents } from "./Document.ts"
import { causal, mask, type MaskedBatch, type Rows } from "./Masking.ts"
import type { SpecialIds } from "./wordpiece/PieceIds.ts"

/**
 * The endless row of training batches; each is a function of (seed, step), so any can be made again alone.
 *
 * `masked` is the batch of masked language modelling, `causal` that of the warm start, `clean` the text behind both:
 * the same (seed, step) shows the same text in all three.
 */
export interface TrainingBatches {
  readonly spec: Spec.Spec
  readonly clean: (seed: Seed.Seed, step: number) => Rows
  readonly masked: (seed: Seed.Seed, step: number) => MaskedBatch
  readonly causal: (seed: Seed.Seed, step: number) => MaskedBatch
}

/** Pieces of a row between [CLS] and [SEP]. */
const inner = (length: number): number => length - 2

/** Writes `[CLS]`, a document's pieces from `start` on, `[SEP]` into row `row` of `ids`. */
const writeRow = (
  ids: Int32Array,
  row: number,
  length: number,
  { document, start, special }: { readonly document: Document; readonly start: number; readonly special: SpecialIds }
): void => {
  ids[row * length] = special.cls
  ids.set(document.ids.subarray(start, start + inner(length)), row * length + 1)
  ids[(row + 1) * length - 1] = special.sep
}

/**
 * Batches of `rows` random windows of a split's documents, `length` pieces each with [CLS] and [SEP].
 *
 * Every window of every document is equally likely; none crosses from one document to the next. Documents shorter
 * than a window are left out. Throws `ConfigError` for sizes, or a rate, that cannot be.
 *
 * @example
 * ```ts
 * import { datasetOf, tokenizerOfVocabulary, parseBrown, splitFiles, tokenize, trainingBatches } from "homodistil/data"
 * import { Seed } from "homodistil/spec"
 * const toy = tokenizerOfVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"], (word) => [word === "a" ? 5 : 6])
 * const files = Array.from({ length: 10 }, (_, i) => parseBrown(`ca${10 + i}`, "a/at b/nn ".repeat(20)))
 * const dataset = datasetOf(files.map((file) => tokenize(file, toy)), { corpus: "none", tokenizer: toy })
 * const batches = trainingBatches(dataset, { rows: 2, length: 8, maskRate: 0.5 })
 * const batch = batches.masked(Seed.make(0), 3)
 * assert.equal(batch.ids.length, 16)
 * assert.equal(batch.labels.length, 6)
 * assert.deepEqual(batches.masked(Seed.make(0), 3), batch)
 * ```
 */
export const trainingBatches = (
  dataset: Dataset,
  options: {
    readonly rows?: number
    readonly length?: number
    readonly maskRate?: number
    readonly split?: SplitName
  } = {}
): TrainingBatches => {
  const { rows = 16, length = 64, maskRate = 0.15, split = "train" } = options
  const documents = dataset.documents[split]
  const ends = endsOf(documents, (pieces) => pieces - inner(length) + 1)
  const windows = ends.at(-1) ?? 0
  refuse([
    ...notWhole("rows", rows, 1),
    ...notWhole("length", length, 3),
    ...(maskRate >= 0 && maskRate <= 1
      ? []
      : [problem("maskRate", maskRate, "a number in [0, 1]", "the paper masks .15 of the pieces")]),
    ...(windows > 0 ? [] : [problem("length", length, `at most ${longest(dataset, split) + 2}`, "take shorter rows")])
  ])
  const clean = (seed: Seed.Seed, step: number): Rows => {
    const ids = new Int32Array(rows * length)
    // not Seed.integers: a large text has more than 2³¹ windows
    Seed.uniforms(Seed.child(seed, "batch", step), rows).forEach((uniform, row) => {
      const window = Math.floor(uniform * windows)
      const index = firstAbove(ends, window)
      const document = documents.at(index)
      if (document !== undefined)
        writeRow(ids, row, length, { document, start: window - (ends[index - 1] ?? 0), special: dataset.special })
    })
    return { rows, length, ids }
  }
  return {
    spec: Spec.make("windows", { options: { rows, length, maskRate, split }, parts: [dataset.spec] }),
    clean,
    masked: (seed, step) =>
      mask(clean(seed, step), { rate: maskRate, pieces: dataset, seed: Seed.child(seed, "mask", step) }),
    causal: (seed, step) => causal(clean(seed, step), dataset.special)
  }
}

/** How many things the documents up to each have together, where one of so many pieces has `count`, or none if that is negative. */
const endsOf = (documents: Documents, count: (pieces: number) => number): Float64Array => {
  const ends = new Float64Array(documents.length)
  let [index, sum] = [0, 0]
  for (const { ids } of documents) {
    sum += Math.max(0, count(ids.length))
    ends[index++] = sum
  }
  return ends
}

/** The index of the first entry of a rising array that is above a value. */
const firstAbove = (rising: Float64Array, value: number): number => {
  let low = 0
  let high = rising.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rising[middle] ?? 0) > value) high = middle
    else low = middle + 1
  }
  return low
}

/**
 * Rows cut from a split without overlap, with what is known of them.
 *
 * `tags` [rows * length] is the part of speech of each word on its first piece and -1 elsewhere; `genres` [rows] the
 * class of the document.
 */
export interface Chunks extends Rows {
  readonly tags: Int32Array
  readonly genres: Int32Array
}

/** How many chunks of a length a split holds. */
export const chunkCount = (dataset: Dataset, split: SplitName, length: number): number =>
  chunkEnds(dataset.documents[split], length).at(-1) ?? 0

const chunkEnds = (documents: Documents, length: number): Float64Array =>
  endsOf(documents, (pieces) => Math.floor(pieces / inner(length)))

/**
 * `count` chunks of a split, chosen and ordered by the seed alone: each document is cut from its start into rows of
 * `length` - 2 pieces, its rest dropped.
 *
 * Throws `ConfigError` when the split has fewer chunks.
 */
export const chunks = (
  dataset: Dataset,
  options: { readonly split: SplitName; readonly count: number; readonly length?: number; readonly seed: Seed.Seed }
): Chunks => {
  const { split, count, length = 64, seed } = options
  refuse([...notWhole("length", length, 3), ...notWhole("count", count, 1)])
  const documents = dataset.documents[split]
  const ends = chunkEnds(documents, length)
  const all = ends.at(-1) ?? 0
  if (all < count) {
    refuse([problem("count", count, `at most ${all}, the chunks of the ${split} split`, "ask for fewer")])
  }
  const ids = new Int32Array(count * length)
  const tags = new Int32Array(count * length).fill(-1)
  const genres = new Int32Array(count)
  const order = Seed.permutation(Seed.child(seed, "chunks"), all)
  for (let row = 0; row < count; row++) {
    const chunk = order[row] ?? 0
    const index = firstAbove(ends, chunk)
    const document = documents.at(index)
    if (document === undefined) continue
    const start = (chunk - (ends[index - 1] ?? 0)) * inner(length)
    writeRow(ids, row, length, { document, start, special: dataset.special })
    tags.set(document.tags.subarray(start, start + inner(length)), row * length + 1)
    genres[row] = document.genre
  }
  return { rows: count, length, ids, tags, genres }
}

/** Batches that stay the same: what to measure on, and the spec of how they were made. */
export interface HeldOut {
  readonly spec: Spec.Spec
  readonly batches: ReadonlyArray<MaskedBatch>
}

/**
 * `count` chunks of a split in batches of `rows`, masked once.
 *
 * The numbers to measure with are the constant `seed`'s (0 unless given), so that all runs are measured on the same
 * places. Throws `ConfigError` when the split has fewer chunks or `rows` does not divide `count`.
 */
export const heldOutBatches = (
  dataset: Dataset,
  options: {
    readonly split: SplitName
    readonly count: number
    readonly rows: number
    readonly length?: number
    readonly maskRate?: number
    readonly seed?: number
  }
): HeldOut => {
  const { split, count, rows, length = 64, maskRate = 0.15, seed = 0 } = options
  refuse([
    ...notWhole("rows", rows, 1),
    ...(count % rows === 0 ? [] : [problem("count", count, `a multiple of rows (${rows})`, "fill the last batch")])
  ])
  const root = Seed.child(Seed.make(seed), `held-out ${split}`)
  const all = chunks(dataset, { split, count, length, seed: root })
  const batches = Array.from({ length: count / rows }, (_, batch) =>
    mask(
      { rows, length, ids: all.ids.subarray(batch * rows * length, (batch + 1) * rows * length) },
      { rate: maskRate, pieces: dataset, seed: Seed.child(root, "mask", batch) }
    )
  )
  const spec = Spec.make("heldOut", { options: { split, count, rows, length, maskRate, seed }, parts: [dataset.spec] })
  return { spec, batches }
}

const longest = (dataset: Dataset, split: SplitName): number => {
  let most = 0
  for (const { ids } of dataset.documents[split]) most = Math.max(most, ids.length)
  return most
}

const problem = (key: string, value: number, bound: string, remedy: string): ConfigProblem => ({
  key,
  value: String(value),
  bound,
  remedy
})

const notWhole = (key: string, value: number, least: number): ReadonlyArray<ConfigProblem> =>
  Number.isInteger(value) && value >= least
    ? []
    : [problem(key, value, `a whole number of at least ${least}`, "give a count")]

const refuse = (problems: ReadonlyArray<ConfigProblem>): void => {
  if (problems.length > 0) throw new ConfigError({ problems })
}
