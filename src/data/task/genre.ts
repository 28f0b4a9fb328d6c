import { Spec } from "../../spec/index.ts"
import { chunks } from "../Batches.ts"
import { genres } from "../Corpus.ts"
import type { Task } from "../Task.ts"

/**
 * Genre: which of Brown's fifteen genres a stretch of running text is from.
 *
 * Train and test rows come from different files. Genres keep their shares of the corpus, so the largest
 * (learned, 16 % of the files) is what a blind guess gets.
 *
 * @example
 * ```ts
 * import { genre } from "homodistil/data"
 * assert.equal(genre().classes[7], "government")
 * assert.equal(genre().kind, "sequence")
 * ```
 */
export const genre = (): Task => ({
  spec: Spec.make("genre"),
  kind: "sequence",
  classes: genres,
  examples: (dataset, sampling) => {
    const all = chunks(dataset, sampling)
    const { rows, length, ids } = all
    return { count: rows, length, ids, attention: new Float32Array(ids.length).fill(1), labels: all.genres }
  }
})
