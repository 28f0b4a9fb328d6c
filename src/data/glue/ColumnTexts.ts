import { type TextRow } from "./Rows.ts"
import type { TextProblem } from "./TextFileError.ts"
import { quoted, type RawText } from "./TextTask.ts"

/** In which columns, by name, a text, the text it is paired with, and the label stand. */
export interface TextColumns {
  readonly text: string
  readonly second?: string
  readonly label: string
}

/** The columns a file must have, in the order `text`, `label`, `second`. */
const namesOf = ({ text, label, second }: TextColumns): ReadonlyArray<string> =>
  second === undefined ? [text, label] : [text, label, second]

const shortened = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text)

/** What is wrong with the names of a file's columns, if anything. */
export const missingColumns = (
  line: number,
  names: ReadonlyArray<string>,
  columns: TextColumns
): ReadonlyArray<TextProblem> =>
  namesOf(columns)
    .filter((name) => !names.includes(name))
    .map((name) => ({
      line,
      field: "columns",
      value: quoted(names.join(", ")),
      bound: `names of columns with ${quoted(name)} among them`
    }))

/** The texts and labels of rows with these columns; a row with more or fewer fields than there are columns is a problem. */
export function* columnTexts(
  rows: Iterable<TextRow>,
  names: ReadonlyArray<string>,
  columns: TextColumns
): Generator<RawText | TextProblem> {
  const [text = 0, label = 0, second] = namesOf(columns).map((name) => names.indexOf(name))
  for (const { line, fields } of rows) {
    if (fields.length === names.length)
      yield {
        line,
        first: fields[text] ?? "",
        label: fields[label] ?? "",
        ...(second === undefined ? {} : { second: fields[second] ?? "" })
      }
    else
      yield {
        line,
        field: "row",
        value: `${fields.length} fields`,
        bound: `${names.length} fields: ${shortened(names.join(", "))}`
      }
  }
}
