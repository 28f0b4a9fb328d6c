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

/** Reads a file whole; fails with `TextFileError` where it cannot be read or is not UTF-8. */
export const readTextFile = Effect.fn("readTextFile")(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const refuse = (value: string, bound: string, remedy: string) => () =>
    new TextFileError({ file, problems: [{ line: 0, field: "file", value, bound }], count: 1, remedy })
  const bytes = yield* fs.readFile(file).pipe(Effect.mapError(refuse("nothing", "a readable file", "check the path")))
  const text = yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
    catch: refuse("bytes of another kind", "text in UTF-8", "convert it first, e.g. with iconv -t utf-8")
  })
  return { file, text, digest: Digest.ofBytes(bytes) }
})
