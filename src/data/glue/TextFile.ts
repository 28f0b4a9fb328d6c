import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { Digest } from "../../spec/index.ts"
import { TextFileError } from "./TextFileError.ts"

/** A file's text, and the digest of its bytes. */
export interface FileText {
  readonly file: string
  readonly text: string
  readonly digest: Digest.Digest
}

/** Reads a file whole; fails with `TextFileError` where it is none (a pipe, say, that would be waited for), cannot be read or is not UTF-8. */
export const readTextFile = Effect.fn("readTextFile")(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const refuse = (value: string, bound: string, remedy: string) => () =>
    new TextFileError({ file, problems: [{ line: 0, field: "file", value, bound }], count: 1, remedy })
  const unreadable = refuse("nothing", "a readable file", "check the path")
  const { type } = yield* Effect.mapError(fs.stat(file), unreadable)
  if (type !== "File") return yield* refuse(type, "a file", "give the path of a file of text")()
  const bytes = yield* Effect.mapError(fs.readFile(file), unreadable)
  const text = yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
    catch: refuse("bytes of another kind", "text in UTF-8", "convert it first, e.g. with iconv -t utf-8")
  })
  return { file, text, digest: Digest.ofBytes(bytes) }
})
