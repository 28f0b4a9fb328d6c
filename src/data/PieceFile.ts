import { Buffer } from "node:buffer"
import { createHash } from "node:crypto"
import { closeSync, openSync, readSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import type { Digest } from "../spec/index.ts"
import * as RecordSort from "./RecordSort.ts"

/** Ids of pieces: an `Int32Array`, or what lies in a file and is read when it is asked for. */
export interface Pieces {
  readonly length: number
  readonly subarray: (begin?: number, end?: number) => Int32Array
}

/** A document as it lies in a file: the digest of its text, and its pieces. */
export interface StoredDocument {
  readonly digest: Digest.Digest
  readonly ids: Pieces
}

/** Documents by digest: an array, or the index of a file, of which nothing is remembered but where it lies. */
export interface StoredDocuments extends Iterable<StoredDocument> {
  readonly length: number
  readonly at: (index: number) => StoredDocument | undefined
}

/** A document on its way into a file. */
export interface NewDocument {
  readonly digest: Digest.Digest
  readonly ids: ArrayLike<number>
}

const magic = "pieces 1"
const [digestBytes, entryBytes, tailBytes] = [32, 32 + 8 + 4, 8 + 8 + 4 + 32]
const bufferBytes = 1 << 20
/** Entries of the index that are read at once. */
const blockEntries = 4096

/** Bytes that a piece takes: two as long as the vocabulary allows it. */
const widthFor = (vocabulary: number): 2 | 4 => (vocabulary <= 1 << 16 ? 2 : 4)

const encode = (ids: ArrayLike<number>, width: 2 | 4): Uint8Array => {
  const numbers = width === 2 ? Uint16Array.from(ids) : Int32Array.from(ids)
  return new Uint8Array(numbers.buffer)
}

const decode = (bytes: Uint8Array, width: 2 | 4): Int32Array => {
  const { buffer, byteOffset, byteLength } = bytes
  const view = new DataView(buffer, byteOffset, byteLength)
  return Int32Array.from({ length: byteLength / width }, (_, i) =>
    width === 2 ? view.getUint16(2 * i, true) : view.getInt32(4 * i, true)
  )
}

/** Bytes of a file at a place. It is opened for each: nothing must be closed later, and a run reads few rows a step. */
const readAt = (file: string, from: number, length: number): Uint8Array => {
  const descriptor = openSync(file, "r")
  try {
    const bytes = new Uint8Array(length)
    let read = 0
    while (read < length) {
      const more = readSync(descriptor, bytes, read, length - read, from + read)
      if (more === 0) throw new RangeError(`${file} ends at byte ${from + read}, before the pieces that were in it`)
      read += more
    }
    return bytes
  } finally {
    closeSync(descriptor)
  }
}

/** Pieces that lie in a file; they are read anew each time, for the memory is to be the file's. */
const inFile = (file: string, from: number, length: number, width: 2 | 4): Pieces => ({
  length,
  subarray: (begin = 0, end = length) => {
    const place = (at: number) => Math.min(length, Math.max(0, at < 0 ? length + at : at))
    const [first, last] = [place(begin), Math.max(place(begin), place(end))]
    return decode(readAt(file, from + width * first, width * (last - first)), width)
  }
})

/**
 * Writes documents into a file as they come: their pieces, then where each of them lies, by digest, then the digest of it all. The file
 * appears whole, by a rename, or not at all.
 *
 * The entries, 44 bytes a document, are put in order on disk beside the file, `room` of them in memory at a time (65,536 unless given).
 * Fails as the documents do and as the disk does.
 */
export const write = <E, R>(
  file: string,
  documents: Stream.Stream<NewDocument, E, R>,
  vocabulary: number,
  room?: number
): Effect.Effect<void, E | PlatformError, R | FileSystem.FileSystem | Path.Path> =>
  Effect.scoped(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = path.dirname(file)
      yield* fs.makeDirectory(directory, { recursive: true })
      const folder = yield* fs.makeTempDirectoryScoped({ directory, prefix: "writing-" })
      const part = path.join(folder, path.basename(file))
      const target = yield* fs.open(part, { flag: "w" })
      const index = yield* RecordSort.make({ width: entryBytes, folder, ...(room === undefined ? {} : { room }) })
      const [width, hash] = [widthFor(vocabulary), createHash("sha256")]
      let [waiting, waitingBytes, at]: [Array<Uint8Array>, number, number] = [[], 0, 0]
      const flush = Effect.suspend(() => {
        const bytes = Buffer.concat(waiting)
        waiting = []
        waitingBytes = 0
        hash.update(bytes)
        return target.writeAll(bytes)
      })
      const put = (bytes: Uint8Array) => {
        waiting.push(bytes)
        waitingBytes += bytes.length
        at += bytes.length
        return waitingBytes >= bufferBytes ? flush : Effect.void
      }
      yield* Stream.runForEach(documents, ({ digest, ids }) => {
        const entry = Buffer.alloc(entryBytes)
        entry.write(digest, "hex")
        entry.writeDoubleLE(at, digestBytes)
        entry.writeUInt32LE(ids.length, digestBytes + 8)
        return Effect.andThen(index.add(entry), put(encode(ids, width)))
      })
      const indexAt = at
      yield* Stream.runForEach(index.sorted, put)
      const tail = Buffer.alloc(8 + 8 + 4)
      tail.write(magic)
      tail.writeDoubleLE(indexAt, 8)
      tail.writeUInt32LE(width, 16)
      yield* put(tail)
      yield* flush
      yield* target.writeAll(hash.digest())
      yield* target.sync
      yield* fs.rename(part, file)
    })
  )

/** As `readAt`; a file that has gone or become shorter is a failure, which counts as no file. */
const bytesAt = (file: string, from: number, length: number) =>
  Effect.try({ try: () => readAt(file, from, length), catch: () => "unreadable" as const })

const isWhole = (file: string, size: number) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const hash = createHash("sha256")
    yield* fs
      .stream(file, { bytesToRead: size - digestBytes, chunkSize: bufferBytes })
      .pipe(Stream.runForEach((bytes) => Effect.sync(() => hash.update(bytes))))
    return hash.digest().equals(yield* bytesAt(file, size - digestBytes, digestBytes))
  })

/**
 * The documents of a file, by digest; `undefined` where there is no such file, or a byte of it is damaged or missing. Pieces and index stay in
 * the file until they are asked for.
 *
 * @example
 * ```ts
 * import { PieceFile } from "homodistil/data"
 * import { Digest } from "homodistil/spec"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as FileSystem from "effect/FileSystem"
 * import * as Stream from "effect/Stream"
 * const program = Effect.gen(function* () {
 *   const file = `${yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()}/some.pieces`
 *   yield* PieceFile.write(file, Stream.make({ digest: Digest.ofBytes("a text"), ids: [5, 6, 7, 8] }), 100)
 *   const [document] = (yield* PieceFile.read(file)) ?? []
 *   return [...(document?.ids.subarray(1, 3) ?? [])]
 * })
 * const pieces = await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
 * assert.deepEqual(pieces, [6, 7])
 * ```
 */
export const read = (file: string): Effect.Effect<StoredDocuments | undefined, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const size = Number((yield* fs.stat(file)).size)
    if (size < tailBytes || !(yield* isWhole(file, size))) return undefined
    const tail = Buffer.from(yield* bytesAt(file, size - tailBytes, tailBytes))
    const [indexAt, width] = [tail.readDoubleLE(8), tail.readUInt32LE(16)]
    if (tail.toString("utf8", 0, 8) !== magic || (width !== 2 && width !== 4)) return undefined
    return indexed(file, indexAt, (size - tailBytes - indexAt) / entryBytes, width)
  }).pipe(Effect.orElseSucceed(() => undefined))

/** The documents of a file whose index of `length` entries begins at `indexAt`. */
const indexed = (file: string, indexAt: number, length: number, width: 2 | 4): StoredDocuments => {
  const entries = (first: number, count: number): ReadonlyArray<StoredDocument> => {
    const bytes = Buffer.from(readAt(file, indexAt + first * entryBytes, count * entryBytes).buffer)
    return Array.from({ length: count }, (_, i) => {
      const entry = i * entryBytes
      const from = bytes.readDoubleLE(entry + digestBytes)
      return {
        digest: bytes.toString("hex", entry, entry + digestBytes),
        ids: inFile(file, from, bytes.readUInt32LE(entry + digestBytes + 8), width)
      }
    })
  }
  return {
    length,
    at: (index) => (index >= 0 && index < length ? entries(index, 1)[0] : undefined),
    *[Symbol.iterator]() {
      for (let first = 0; first < length; first += blockEntries)
        yield* entries(first, Math.min(blockEntries, length - first))
    }
  }
}
