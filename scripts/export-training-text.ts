import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { brownDirectory, parseBrown, readCorpus, splitFiles } from "../src/data/index.ts"

// node scripts/export-training-text.ts [FILE]: the training split of Brown, one sentence a line, for train-tokenizer.py
const program = Effect.gen(function* () {
  const target = process.argv[2] ?? "brown-train.txt"
  const fs = yield* FileSystem.FileSystem
  const corpus = yield* readCorpus(yield* brownDirectory)
  const split = splitFiles([...corpus.texts.keys()])
  const lines = [...corpus.texts]
    .filter(([file]) => split.get(file) === "train")
    .flatMap(([file, text]) => parseBrown(file, text).sentences.map((sentence) => sentence.words.join(" ")))
  yield* fs.writeFileString(target, `${lines.join("\n")}\n`)
  yield* Console.log(`${lines.length} sentences of corpus ${corpus.digest} in ${target}`)
})

program.pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
