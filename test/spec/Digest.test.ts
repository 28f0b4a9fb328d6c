import { assert, describe, it } from "@effect/vitest"
import { Digest } from "homodistil/spec"

describe("Digest", () => {
  it("is the sha256 of the canonical text", () => {
    // FIPS 180-2: the digests of "abc" and of nothing
    assert.strictEqual(Digest.ofBytes("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    assert.strictEqual(Digest.ofBytes(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    assert.strictEqual(Digest.of({ b: 1, a: 2 }), Digest.ofBytes('{"a":2,"b":1}'))
    assert.strictEqual(Digest.ofBytes(new TextEncoder().encode("é")), Digest.ofBytes("é"))
  })

  it("of parts is that of the whole", () => {
    const [a, b] = [Uint8Array.of(1, 2), Uint8Array.of(3)]
    assert.strictEqual(Digest.ofParts([a, b]), Digest.ofBytes(Uint8Array.of(1, 2, 3)))
  })

  it("is told by its first characters", () => assert.strictEqual(Digest.short(Digest.ofBytes("abc")), "ba7816bf8f01"))
})
