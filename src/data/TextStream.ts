import { createReadStream } from "node:fs"
import { pipeline } from "node:stream"
import { createGunzip } from "node:zlib"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { ConfigError } from "../spec/index.ts"
import { type DocumentBounds, type TextFormat, textSplitter } from "./TextSplitter.ts"

const refuse = (value: string, bound: string, remedy: string): ConfigError =>
  new ConfigError({ problems: [{ key: "--text", value, bound, remedy }] })

/** How a file of this name holds its documents: `.jsonl` and `.ndjson` as JSON lines, packed (`.gz`) or not. */
export const formatOf = (file: string, bounds: DocumentBounds): TextFormat =>
  /\.(jsonl|ndjson)(\.gz)?$/i.test(file) ? "jsonLines" : bounds

const utf8 = "convert it first, e.g. with iconv -t utf-8; of packed files, only those of gzip are read"

/** The bytes of a file, unpacked where they begin as gzip's do. */
const bytesOf = (file: string): Stream.Stream<Uint8Array, ConfigError, FileSystem.FileSystem> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const unreadable = (error: PlatformError) =>
        refuse(file, `a readable file (${error.message.split("\n")[0] ?? ""})`, "give the path of a text")
      const head = yield* fs.stream(file, { bytesToRead: 2 }).pipe(Stream.runCollect, Effect.mapError(unreadable))
      const [first, second] = head.flatMap((bytes) => [...bytes])
      const bytes = Stream.mapError(fs.stream(file, { chunkSize: 1 << 18 }), unreadable)
      if (first !== 0x1f || second !== 0x8b) return bytes
      // the platform's DecompressionStream stops after the first of several members, which packed corpora often have
      const unpacked = yield* Effect.acquireRelease(
        Effect.sync(() => pipeline(createReadStream(file), createGunzip(), () => {})),
        (opened) => Effect.sync(() => opened.destroy())
      )
      return Stream.fromAsyncIterable<Uint8Array, ConfigError>(unpacked, () =>
        refuse(file, "a whole file packed by gzip", "copy or pack it again; it is damaged or was cut off")
      )
    })
  )

/**
 * The documents of a text file, one after another, with no more than one of them in memory: plain text in UTF-8, or JSON lines (`.jsonl`) with a
 * field `text`; packed by gzip or not.
 *
 * Fails with `ConfigError` naming the file and, where there is one, the line: unreadable, not UTF-8, cut off, no such JSON, a document without
 * end.
 *
 * @example
 * ```ts
 * import { textDocuments } from "homodistil/data"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * const error = await Effect.runPromise(
 *   textDocuments("no/such/text").pipe(Stream.runCollect, Effect.flip, Effect.provide(NodeServices.layer))
 * )
 * assert.match(error.message, /^--text = no\/such\/text: must be a readable file/)
 * ```
 */
export const textDocuments = (
  file: string,
  bounds: DocumentBounds = "blocks"
): Stream.Stream<string, ConfigError, FileSystem.FileSystem> =>
  Stream.suspend(() => {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    const splitter = textSplitter(formatOf(file, bounds))
    const documents = (text: () => string, ended: boolean) =>
      Effect.gen(function* () {
        const bit = yield* Effect.try({ try: text, catch: () => refuse(file, "text in UTF-8", utf8) })
        const pushed = yield* fromSplitter(splitter.push(bit))
        return ended ? [...pushed, ...(yield* fromSplitter(splitter.end()))] : pushed
      })
    const fromSplitter = (result: ReturnType<typeof splitter.push>) =>
      Effect.fromResult(result).pipe(
        Effect.mapError(({ line, reason, remedy }) =>
          refuse(`${file}, line ${line}`, `a text that can be split, but this line ${reason}`, remedy)
        )
      )
    const body = Stream.mapEffect(bytesOf(file), (bytes) =>
      documents(() => decoder.decode(bytes, { stream: true }), false)
    )
    const end = Stream.fromEffect(Effect.suspend(() => documents(() => decoder.decode(), true)))
    return Stream.flattenIterable(Stream.concat(body, end))
  })
