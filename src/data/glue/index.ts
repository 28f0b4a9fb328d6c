export type { TextColumns } from "./ColumnTexts.ts"
export { type EncodedTask, type EncodedTexts, encodeTask, encodeTexts, longestFirst } from "./EncodedTexts.ts"
export { glueFolders, type GlueName, glueNames, glueSplit, isGlueName, readGlue } from "./Glue.ts"
export { type OwnTaskOptions, ownTexts, readOwnTask, type TableFormat } from "./OwnTask.ts"
export { csvRows, textLines, type TextRow, tsvRows } from "./Rows.ts"
export { type FileText, readTextFile } from "./TextFile.ts"
export { TextFileError, type TextProblem } from "./TextFileError.ts"
export {
  type LabelledText,
  type LabelReader,
  labelsWritten,
  type RawText,
  scoresWritten,
  taskOf,
  textSplitOf,
  type TextLabels,
  type TextMetric,
  type TextSplit,
  type TextTask
} from "./TextTask.ts"
