import { createHash, type Hash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import { Digest, type JsonObject } from "../../spec/index.ts"
import * as CheckedLine from "./CheckedLine.ts"

/** The length of some bytes, and their digest. */
export const Extent = Schema.Struct({ bytes: Schema.Int, sha256: Schema.String })

/** The length of some bytes, and their digest. */
export type Extent = typeof Extent.Type

/** The length and the digest of bytes at hand. */
export const extentOf = (bytes: Uint8Array): Extent => ({ bytes: bytes.length, sha256: Digest.ofBytes(bytes) })

/** Where metrics go on: how far the file is good, and the running digest up to there. */
export interface Kept {
  readonly bytes: number
  readonly hash: Hash
}

/** Metrics of which nothing is kept. */
export const nothing = (): Kept => ({ bytes: 0, hash: createHash("sha256") })

/** The metrics up to a checkpoint; `undefined` where the file does not hold what the checkpoint was made with. */
export const keptOf = (file: Uint8Array, { bytes, sha256 }: Extent): Kept | undefined => {
  if (file.length < bytes) return undefined
  const hash = createHash("sha256").update(file.subarray(0, bytes))
  return hash.copy().digest("hex") === sha256 ? { bytes, hash } : undefined
}

/** Adds lines to a file. */
export interface Writer {
  /** Takes an entry in, and tells whether there are enough to be written. */
  readonly add: (entry: JsonObject) => boolean
  /** Writes what was taken in. */
  readonly write: Effect.Effect<void, PlatformError, FileSystem.FileSystem>
  /** Writes it and brings it to the disk, and tells what is there now. */
  readonly flush: Effect.Effect<Extent, PlatformError, FileSystem.FileSystem>
  /** Keeps nothing of what there is. */
  readonly clear: Effect.Effect<void, PlatformError, FileSystem.FileSystem>
}

const batch = 256

/** Adds lines to a file behind what is kept of it. Lines that could not be written are written by the next attempt. */
export const writer = (file: string, kept: Kept): Writer => {
  let { bytes, hash } = kept
  let lines: Array<string> = []
  const append = (sync: boolean) =>
    Effect.gen(function* () {
      const text = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""))
      const written = lines.length
      const fs = yield* FileSystem.FileSystem
      const open = yield* fs.open(file, { flag: "a" })
      // half a line of an attempt that failed may stand there
      yield* open.truncate(bytes)
      if (text.length > 0) yield* open.writeAll(text)
      if (sync) yield* open.sync
      bytes += text.length
      hash.update(text)
      lines = lines.slice(written)
    }).pipe(Effect.scoped, Effect.uninterruptible)
  return {
    add: (entry) => lines.push(CheckedLine.of(entry)) >= batch,
    write: append(false),
    flush: Effect.map(append(true), () => ({ bytes, sha256: hash.copy().digest("hex") })),
    clear: Effect.suspend(() => {
      ;({ bytes, hash } = nothing())
      lines = []
      return append(true)
    })
  }
}
