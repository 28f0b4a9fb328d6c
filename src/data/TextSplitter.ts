import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** What one document of a plain text is: a block between blank lines, as BERT's own texts are written, or the whole file. */
export type DocumentBounds = "blocks" | "files"

/** How a file holds its documents: as plain text with bounds, or as JSON objects with a field `text`, one a line. */
export type TextFormat = DocumentBounds | "jsonLines"

/** The longest document, in characters: more than any book has. */
export const longestDocument = 2 ** 26

/** What keeps a text from being split, and the line it stands in. */
export interface BadText {
  readonly line: number
  readonly reason: string
  readonly remedy: string
}

/**
 * Takes a text bit by bit and gives its documents, however it is cut into bits.
 *
 * `push` gives the documents that a bit has completed, `end` the last ones. Only what belongs to the document at hand is remembered.
 */
export interface TextSplitter {
  readonly push: (bit: string) => Result.Result<ReadonlyArray<string>, BadText>
  readonly end: () => Result.Result<ReadonlyArray<string>, BadText>
}

const Record = Schema.fromJsonString(Schema.Struct({ text: Schema.String }))
const decodeRecord = Schema.decodeUnknownResult(Record)

/**
 * A splitter for a text of a format. Byte-order marks and carriage returns are no part of a document, nor is the white space around it;
 * empty documents are none.
 *
 * @example
 * ```ts
 * import { textSplitter } from "homodistil/data"
 * import * as Result from "effect/Result"
 * const splitter = textSplitter("blocks")
 * const bits = ["One.\nTw", "o.\n\nThr", "ee."].flatMap((bit) => Result.getOrThrow(splitter.push(bit)))
 * assert.deepEqual([...bits, ...Result.getOrThrow(splitter.end())], ["One.\nTwo.", "Three."])
 * ```
 */
export const textSplitter = (format: TextFormat): TextSplitter => {
  let [line, began, half] = [0, false, ""]
  /** The line that has not ended yet, in the bits it came in: to join them each time would take the square of its length. */
  let open: Array<string> = []
  let openSize = 0
  let block: Array<string> = []
  let size = 0

  const close = (): ReadonlyArray<string> => {
    const document = block.join("\n").trim()
    block = []
    size = 0
    return document === "" ? [] : [document]
  }

  const fail = (reason: string, remedy: string) => Result.fail<BadText>({ line, reason, remedy })
  const tooLong = () =>
    fail(
      `belongs to a document of more than ${longestDocument} characters`,
      format === "blocks" ? "put blank lines between documents" : "divide it into several documents"
    )

  const take = (one: string): Result.Result<ReadonlyArray<string>, BadText> => {
    line++
    if (format === "jsonLines") {
      if (one.trim() === "") return Result.succeed([])
      const decoded = decodeRecord(one)
      if (Result.isFailure(decoded))
        return fail('is no JSON object with a "text"', 'write one object a line: {"text": "…"}')
      const text = plain(decoded.success.text).trim()
      return Result.succeed(text === "" ? [] : [text])
    }
    if (format === "blocks" && one.trim() === "") return Result.succeed(close())
    block.push(one)
    size += one.length + 1
    return size > longestDocument ? tooLong() : Result.succeed([])
  }

  const takeAll = (lines: ReadonlyArray<string>): Result.Result<ReadonlyArray<string>, BadText> => {
    const documents: Array<string> = []
    for (const one of lines) {
      const taken = take(one)
      if (Result.isFailure(taken)) return taken
      documents.push(...taken.success)
    }
    return Result.succeed(documents)
  }

  const openLine = (): string => {
    const whole = open.join("")
    open = []
    openSize = 0
    return whole
  }

  return {
    push: (bit) => {
      const whole = half + (began ? bit : bit.replace(/^\uFEFF/, ""))
      began = began || bit !== ""
      // a carriage return at the end may be half a line end
      half = whole.endsWith("\r") ? "\r" : ""
      const lines = plain(whole.slice(0, whole.length - half.length)).split("\n")
      const last = lines.pop() ?? ""
      if (lines.length > 0) lines[0] = openLine() + (lines[0] ?? "")
      if (last !== "") open.push(last)
      openSize += last.length
      const taken = takeAll(lines)
      if (Result.isFailure(taken)) return taken
      if (size + openSize > longestDocument) {
        line++
        return tooLong()
      }
      return taken
    },
    end: () => {
      const rest = openLine() + half
      const last = takeAll(rest === "" ? [] : plain(rest).split("\n"))
      return Result.map(last, (documents) => [...documents, ...close()])
    }
  }
}

const plain = (text: string): string => text.replaceAll(/\r\n?/g, "\n")
