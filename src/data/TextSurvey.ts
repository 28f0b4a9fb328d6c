import { Buffer } from "node:buffer"
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { ConfigError, type Digest } from "../spec/index.ts"
import * as RecordSort from "./RecordSort.ts"
import type { DocumentBounds } from "./TextSplitter.ts"
import { textDocuments } from "./TextStream.ts"

/** What a first reading of texts finds: the digest of all documents, and which of them, as they come, are copies of an earlier one. */
export interface TextSurvey {
  /** As `Digest.of` of the documents' digests, each once and rising. */
  readonly digest: Digest.Digest
  /** A bit for each document. */
  readonly copies: Uint8Array
}

/** The digest of a list of digests that come one after another: `Digest.of` of the list, which need not be held. */
export const listDigest = () => {
  const hash = createHash("sha256").update("[")
  let between = ""
  return {
    add: (digest: Digest.Digest): void => {
      hash.update(`${between}"${digest}"`)
      between = ","
    },
    end: (): Digest.Digest => hash.update("]").digest("hex")
  }
}

const [digestBytes, numberBytes] = [32, 6]
const width = digestBytes + numberBytes

/** Whether a bit is set. */
export const isCopy = (copies: Uint8Array, document: number): boolean =>
  (((copies[document >> 3] ?? 0) >> (document & 7)) & 1) === 1

/** Puts the digests of all documents in order: each is a record of its own, and its number after it. */
const gather = (files: ReadonlyArray<string>, bounds: DocumentBounds, sort: RecordSort.RecordSort) =>
  Effect.gen(function* () {
    const record = Buffer.alloc(width)
    let count = 0
    const results = yield* Effect.forEach(files, (file) =>
      textDocuments(file, bounds).pipe(
        Stream.runForEach((text) => {
          createHash("sha256").update(text).digest().copy(record)
          record.writeUIntBE(count, digestBytes, numberBytes)
          count++
          return sort.add(record)
        }),
        Effect.catchIf(
          (error) => error instanceof ConfigError,
          (error) => Effect.succeed(error.problems)
        ),
        Effect.map((problems) => problems ?? [])
      )
    )
    const problems = results.flat()
    return problems.length > 0 ? yield* new ConfigError({ problems }) : count
  })

/** Reads the records in order: the first of equal digests is the document, the others are its copies. */
const summarise = (sort: RecordSort.RecordSort, count: number) =>
  Effect.gen(function* () {
    const copies = new Uint8Array(Math.ceil(count / 8))
    const list = listDigest()
    let last: Uint8Array = new Uint8Array(0)
    yield* Stream.runForEach(sort.sorted, (bytes) =>
      Effect.sync(() => {
        const block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        for (let at = 0; at < block.length; at += width) {
          const digest = block.subarray(at, at + digestBytes)
          if (digest.equals(last)) {
            const number = block.readUIntBE(at + digestBytes, numberBytes)
            copies[number >> 3] = (copies[number >> 3] ?? 0) | (1 << (number & 7))
          } else list.add(digest.toString("hex"))
          last = digest
        }
      })
    )
    return { digest: list.end(), copies } satisfies TextSurvey
  })

/**
 * Reads texts once, for the digests of their documents. With a folder, these are put in order in a file there, so that only a bit of memory
 * is taken for a document; without one, or where it cannot be written, 38 bytes.
 *
 * Fails with `ConfigError`, which names every file that cannot be read.
 */
export const surveyTexts = (
  files: ReadonlyArray<string>,
  options: { readonly bounds: DocumentBounds; readonly folder?: string | undefined; readonly room?: number }
): Effect.Effect<TextSurvey, ConfigError, FileSystem.FileSystem | Path.Path> => {
  const within = (folder: string | undefined) =>
    Effect.scoped(
      Effect.gen(function* () {
        const sort = yield* RecordSort.make({ ...options, width, folder })
        return yield* summarise(sort, yield* gather(files, options.bounds, sort))
      })
    )
  return within(options.folder).pipe(
    Effect.catchIf(
      (error) => error instanceof PlatformError,
      () => within(undefined)
    ),
    Effect.catchIf((error) => error instanceof PlatformError, Effect.die)
  )
}
