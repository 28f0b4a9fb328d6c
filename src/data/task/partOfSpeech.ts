import { Spec } from "../../spec/index.ts"
import { chunks } from "../Batches.ts"
import type { Task } from "../Task.ts"
import { universalTags } from "../UniversalTag.ts"

/**
 * Part of speech: the universal tag of each word, to be told at its first piece; later pieces are left out.
 *
 * Rows are chunks of running text, as in pre-training.
 *
 * @example
 * ```ts
 * import { partOfSpeech } from "homodistil/data"
 * assert.equal(partOfSpeech().classes.length, 12)
 * assert.equal(partOfSpeech().kind, "token")
 * ```
 */
export const partOfSpeech = (): Task => ({
  spec: Spec.make("partOfSpeech"),
  kind: "token",
  classes: universalTags,
  examples: (dataset, sampling) => {
    const { rows, length, ids, tags } = chunks(dataset, sampling)
    return { count: rows, length, ids, attention: new Float32Array(ids.length).fill(1), labels: tags }
  }
})
