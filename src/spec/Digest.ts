import { createHash } from "node:crypto"
import { canonical, type Json } from "./Json.ts"

/** A sha256 in lower-case hexadecimal: the address of a value. */
export type Digest = string

/**
 * The digest of a JSON value: sha256 of its canonical text, so the order of keys does not matter.
 *
 * @example
 * ```ts
 * import { Digest } from "homodistil/spec"
 * assert.equal(Digest.of({ a: 1, b: 2 }), Digest.of({ b: 2, a: 1 }))
 * assert.notEqual(Digest.of({ a: 1 }), Digest.of({ a: 2 }))
 * ```
 */
export const of = (value: Json): Digest => createHash("sha256").update(canonical(value)).digest("hex")

/**
 * The digest of raw bytes, or of a text's UTF-8 bytes.
 *
 * @example
 * ```ts
 * import { Digest } from "homodistil/spec"
 * assert.equal(Digest.ofBytes("abc").slice(0, 8), "ba7816bf") // FIPS 180-2, appendix B.1
 * ```
 */
export const ofBytes = (bytes: Uint8Array | string): Digest => createHash("sha256").update(bytes).digest("hex")

/** The digest of bytes that come in parts: that of all of them one after another. */
export const ofParts = (parts: Iterable<Uint8Array>): Digest => {
  const hash = createHash("sha256")
  for (const part of parts) hash.update(part)
  return hash.digest("hex")
}

/** The first twelve characters of a digest: enough to tell the cells of a store apart when printed. */
export const short = (digest: Digest): string => digest.slice(0, 12)
