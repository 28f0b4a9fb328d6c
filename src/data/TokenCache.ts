import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import type { Document } from "./Document.ts"

const Index = Schema.fromJsonString(
  Schema.Array(Schema.Struct({ file: Schema.String, genre: Schema.Int, pieces: Schema.Int, sentences: Schema.Int }))
)
const decodeIndex = Schema.decodeUnknownOption(Index)

const digestBytes = 32

const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest()

const bytesOf = (array: Int32Array | Int8Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

/**
 * The bytes of a cache file: sha256 of the rest, length of the index, the index as JSON, then every document's ids,
 * sentences (32 bits each) and tags (8 bits each), little-endian.
 */
export const encode = (documents: ReadonlyArray<Document>): Uint8Array => {
  const index = Buffer.from(
    JSON.stringify(
      documents.map(({ file, genre, ids, sentences }) => ({
        file,
        genre,
        pieces: ids.length,
        sentences: sentences.length
      }))
    )
  )
  const length = Buffer.alloc(4)
  length.writeUInt32LE(index.length)
  const body = Buffer.concat([
    length,
    index,
    ...documents.flatMap(({ ids, sentences, tags }) => [ids.subarray(), sentences, tags].map(bytesOf))
  ])
  return Buffer.concat([sha256(body), body])
}

/** The documents of a cache file's bytes; none when a byte of it is damaged or missing. */
export const decode = (bytes: Uint8Array): Option.Option<ReadonlyArray<Document>> => {
  const body = bytes.subarray(digestBytes)
  if (body.length < 4 || !sha256(body).equals(bytes.subarray(0, digestBytes))) return Option.none()
  const indexEnd = 4 + Buffer.from(body.buffer, body.byteOffset, 4).readUInt32LE(0)
  let at = indexEnd
  // the numbers are not aligned in the file: copy before looking at them as 32-bit words
  const take = (length: number): ArrayBuffer => {
    const copy = new ArrayBuffer(length)
    new Uint8Array(copy).set(body.subarray(at, at + length))
    at += length
    return copy
  }
  return decodeIndex(Buffer.from(body.subarray(4, indexEnd)).toString()).pipe(
    Option.map((index) =>
      index.map(({ file, genre, pieces, sentences }) => ({
        file,
        genre,
        ids: new Int32Array(take(4 * pieces)),
        sentences: new Int32Array(take(4 * sentences)),
        tags: new Int8Array(take(pieces))
      }))
    )
  )
}

/**
 * The documents kept in a file, or, when there is none or it is damaged, those that `make` makes, then kept.
 *
 * The file appears by a rename, so no reader sees half of it. What keeps it from being written is logged, not raised.
 */
export const remember = Effect.fn("TokenCache.remember")(function* <E, R>(
  file: string,
  make: Effect.Effect<ReadonlyArray<Document>, E, R>
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const kept = yield* fs.readFile(file).pipe(
    Effect.map(decode),
    Effect.orElseSucceed(() => Option.none())
  )
  if (Option.isSome(kept)) return kept.value
  const made = yield* make
  const directory = path.dirname(file)
  yield* fs.makeDirectory(directory, { recursive: true }).pipe(
    Effect.andThen(fs.makeTempDirectoryScoped({ directory, prefix: "writing-" })),
    Effect.flatMap((temporary) => {
      const part = path.join(temporary, path.basename(file))
      return fs.writeFile(part, encode(made)).pipe(Effect.andThen(fs.rename(part, file)))
    }),
    Effect.scoped,
    Effect.catch((error) => Effect.logDebug(`the pieces are not kept in ${file}: ${error.message}`))
  )
  return made
})
