export * from "./Batches.ts"
export * from "./Corpus.ts"
export * from "./Dataset.ts"
export * from "./Document.ts"
export * from "./Masking.ts"
export * as PieceFile from "./PieceFile.ts"
export * as RecordSort from "./RecordSort.ts"
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
export { type BadText, type DocumentBounds, type TextFormat, type TextSplitter, textSplitter } from "./TextSplitter.ts"
export { textDocuments } from "./TextStream.ts"
export { loadTexts, together } from "./Texts.ts"
export * from "./Tokenizer.ts"
export * from "./UniversalTag.ts"
export * from "./wordpiece/index.ts"
export * from "./glue/index.ts"
export * from "./task/index.ts"
