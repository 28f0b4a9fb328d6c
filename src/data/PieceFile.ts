import { Buffer } from "node:buffer"
import { createHash } from "node:crypto"
import { closeSync, openSync, readSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import type { Digest } from "../spec/index.ts"

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

/** A document on its way into a file. */
export interface NewDocument {
  readonly digest: Digest.Digest
  readonly ids: ReadonlyArray<number>
}

const magic = "pieces 1"
const [digestBytes, entryBytes, tailBytes] = [32, 32 + 8 + 4, 8 + 8 + 4 + 32]
const bufferBytes = 1 << 20

/** Bytes that a piece takes: two as long as the vocabulary allows it. */
const widthFor = (vocabulary: number): 2 | 4 => (vocabulary <= 1 << 16 ? 2 : 4)

const encode = (ids: ReadonlyArray<number>, width: 2 | 4): Uint8Array => {
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
 * What is remembered of a document is 44 bytes. Fails as the documents do and as the disk does.
 */
export const write = <E, R>(
  file: string,
  documents: Stream.Stream<NewDocument, E, R>,
  vocabulary: number
): Effect.Effect<void, E | PlatformError, R | FileSystem.FileSystem | Path.Path> =>
  Effect.scoped(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = path.dirname(file)
      yield* fs.makeDirectory(directory, { recursive: true })
      const part = path.join(yield* fs.makeTempDirectoryScoped({ directory, prefix: "writing-" }), path.basename(file))
      const target = yield* fs.open(part, { flag: "w" })
      const [width, hash] = [widthFor(vocabulary), createHash("sha256")]
      let index = Buffer.alloc(1 << 10)
      let count = 0
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
        const entry = count * entryBytes
        if (entry + entryBytes > index.length) index = Buffer.concat([index], 2 * index.length)
        index.write(digest, entry, digestBytes, "hex")
        index.writeDoubleLE(at, entry + digestBytes)
        index.writeUInt32LE(ids.length, entry + digestBytes + 8)
        count++
        return put(encode(ids, width))
      })
      const indexAt = at
      const entryOf = (i: number) => index.subarray(i * entryBytes, (i + 1) * entryBytes)
      const order = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) =>
        Buffer.compare(entryOf(a), entryOf(b))
      )
      for (const i of order) yield* put(Uint8Array.from(entryOf(i)))
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
 * The documents of a file, by digest; `undefined` where there is no such file, or a byte of it is damaged or missing. Their pieces stay in the file
 * until they are asked for.
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
export const read = (
  file: string
): Effect.Effect<ReadonlyArray<StoredDocument> | undefined, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const size = Number((yield* fs.stat(file)).size)
    if (size < tailBytes || !(yield* isWhole(file, size))) return undefined
    const tail = Buffer.from(yield* bytesAt(file, size - tailBytes, tailBytes))
    const [indexAt, width] = [tail.readDoubleLE(8), tail.readUInt32LE(16)]
    if (tail.toString("utf8", 0, 8) !== magic || (width !== 2 && width !== 4)) return undefined
    const index = Buffer.from(yield* bytesAt(file, indexAt, size - tailBytes - indexAt))
    return Array.from({ length: index.length / entryBytes }, (_, i): StoredDocument => {
      const entry = i * entryBytes
      const from = index.readDoubleLE(entry + digestBytes)
      return {
        digest: index.toString("hex", entry, entry + digestBytes),
        ids: inFile(file, from, index.readUInt32LE(entry + digestBytes + 8), width)
      }
    })
  }).pipe(Effect.orElseSucceed(() => undefined))
