import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import { datasetOf, loadTextFiles, tokenizerOfVocabulary, trainingBatches } from "homodistil/data"

// reads the text it is told, by way of the folder it is told, and says the digest, how many documents train, and the bytes in use that the
// dataset and its batches add; to be run with --expose-gc

const vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"]
const tokenizer = tokenizerOfVocabulary(vocabulary, (word) => [5 + (word.length % 2)])
const tasks = datasetOf([], { corpus: "none", tokenizer })
const [, , file = "", cache = ""] = process.argv

/** Bytes in use, once what is no longer used has gone. */
const inUse = async (): Promise<number> => {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((done) => setTimeout(done, 20))
    globalThis.gc?.()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
const load = () =>
  Effect.runPromise(
    Effect.provide(
      loadTextFiles({
        files: [file],
        tokenizer,
        tasks,
        needs: { length: 8, validation: 1, test: 1, heldOutLength: 8 },
        cache
      }),
      NodeServices.layer
    )
  )
// once for what any reading leaves behind
await load()
const before = await inUse()
const dataset = await load()
const batches = trainingBatches(dataset, { rows: 2, length: 8 })
const bytes = (await inUse()) - before
const { digest, documents } = dataset
process.stdout.write(JSON.stringify({ digest, bytes, train: documents.train.length, batches: batches.spec.name }))
