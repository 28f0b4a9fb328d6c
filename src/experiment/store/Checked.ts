import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { canonical, Digest, type Json } from "../../spec/index.ts"

/** A value as the bytes of an object that carries its own digest. */
export interface Checked<A> {
  readonly encode: (value: A) => Effect.Effect<Uint8Array>
  /** The value; fails with the reason when a single byte is not as it was written. */
  readonly decode: (bytes: Uint8Array) => Effect.Effect<A, string>
}

/** Writes values of a schema as canonical JSON with a digest: equal values have equal bytes. */
export const of = <A, I extends Json>(schema: Schema.Codec<A, I>): Checked<A> => {
  const Kept = Schema.fromJsonString(Schema.Struct({ digest: Schema.String, value: schema }))
  const toJson = Schema.encodeEffect(schema)
  const parse = Schema.decodeUnknownEffect(Kept)
  const encode = (value: A) =>
    Effect.map(Effect.orDie(toJson(value)), (json) =>
      new TextEncoder().encode(`${canonical({ digest: Digest.of(json), value: json })}\n`)
    )
  return {
    encode,
    decode: (bytes) =>
      Effect.gen(function* () {
        const { value } = yield* Effect.mapError(parse(new TextDecoder().decode(bytes)), () => "it is not whole")
        // not a byte may differ, so neither the digest nor what it stands for
        const same = Buffer.compare(yield* encode(value), bytes) === 0
        return same ? value : yield* Effect.fail("its contents do not match their digest")
      })
  }
}
