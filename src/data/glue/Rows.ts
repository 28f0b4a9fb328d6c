/** A row of a text file: its line, counted from 1, and its fields. */
export interface TextRow {
  readonly line: number
  readonly fields: ReadonlyArray<string>
}

/** The text without a byte-order mark. */
const unmarked = (text: string): string => (text.startsWith("\ufeff") ? text.slice(1) : text)

/**
 * The lines of a text that are not empty, each with its number: a line ends as Python's text files have it, with \n, \r\n or \r.
 *
 * @example
 * ```ts
 * import { textLines } from "homodistil/data"
 * assert.deepEqual([...textLines("a\r\n\nb")], [[1, "a"], [3, "b"]])
 * ```
 */
export function* textLines(text: string): Generator<readonly [number, string], void> {
  const plain = unmarked(text)
  let [from, line] = [0, 1]
  for (const { 0: end, index } of plain.matchAll(/\r\n?|\n/g)) {
    if (index > from) yield [line, plain.slice(from, index)]
    from = index + end.length
    line++
  }
  if (from < plain.length) yield [line, plain.slice(from)]
}

/** The first of some rows, taken from them: the names of the columns of those that follow. */
export const columnNames = (rows: Iterator<TextRow, void>): ReadonlyArray<string> => {
  const first = rows.next()
  return first.done === true ? [] : first.value.fields
}

/**
 * The rows of tab-separated text as GLUE has it: a quotation mark is a letter like any other.
 *
 * @example
 * ```ts
 * import { tsvRows } from "homodistil/data"
 * assert.deepEqual([...tsvRows('\ufeffa\t"b\n')], [{ line: 1, fields: ["a", '"b'] }])
 * ```
 */
export function* tsvRows(text: string): Generator<TextRow, void> {
  for (const [line, row] of textLines(text)) yield { line, fields: row.split("\t") }
}

/** Where the quotes close that open at `from`; -1 where they do not. */
const closing = (text: string, from: number): number => {
  let at = text.indexOf('"', from + 1)
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2)
  return at
}

/**
 * The rows of comma-separated text (RFC 4180): a field in quotes may hold commas, line ends and, doubled, quotes.
 *
 * Where quotes do not close, or something follows a closing quote, the rest of the text is one row of one field.
 *
 * @example
 * ```ts
 * import { csvRows } from "homodistil/data"
 * assert.deepEqual([...csvRows('a,"b ""c"", d"\n')], [{ line: 1, fields: ["a", 'b "c", d'] }])
 * ```
 */
export function* csvRows(text: string): Generator<TextRow, void> {
  const plain = unmarked(text)
  const bareEnd = /[,\r\n]|$/g
  const lineEnd = /\r\n?|\n/y
  let [at, line, first] = [0, 1, 1]
  let fields: Array<string> = []
  while (at < plain.length || fields.length > 0) {
    const isQuoted = plain[at] === '"'
    bareEnd.lastIndex = at
    const end = isQuoted ? closing(plain, at) : (bareEnd.exec(plain)?.index ?? plain.length)
    const after = isQuoted ? end + 1 : end
    if (end < 0 || (after < plain.length && !/[,\r\n]/.test(plain[after] ?? ""))) {
      yield { line: first, fields: [plain.slice(at)] }
      return
    }
    const field = isQuoted ? plain.slice(at + 1, end).replaceAll('""', '"') : plain.slice(at, end)
    fields.push(field)
    line += field.match(/\r\n?|\n/g)?.length ?? 0
    at = after
    if (plain[at] === ",") {
      at++
      continue
    }
    // an empty line is no row
    if (isQuoted || fields.length > 1 || field !== "") yield { line: first, fields }
    lineEnd.lastIndex = at
    at += lineEnd.exec(plain)?.[0].length ?? 0
    first = ++line
    fields = []
  }
}
