export * from "./Batches.ts"
export * from "./Corpus.ts"
export * from "./Dataset.ts"
export * from "./Document.ts"
export * from "./Masking.ts"
export * from "./Span.ts"
export { readSquad, type SquadAnswer, SquadError, type SquadFile, squadOfJson, type SquadQuestion } from "./Squad.ts"
export {
  type ExampleRows,
  type Examples,
  type ExampleSource,
  majorityShare,
  type Sampling,
  type Task,
  type TaskData,
  taskData
} from "./Task.ts"
export * from "./TextFiles.ts"
export * from "./TextPieces.ts"
export * from "./Tokenizer.ts"
export * from "./UniversalTag.ts"
export { genre } from "./task/genre.ts"
export { partOfSpeech } from "./task/partOfSpeech.ts"
export { nounPhrases, type Phrase, spanPhrase } from "./task/spanPhrase.ts"
export { squadAlignment, type SquadAlignment, type SquadTask, spanSquad } from "./task/spanSquad.ts"
export { wordOrder } from "./task/wordOrder.ts"
