import { assert } from "@effect/vitest"

/** Fails unless a law refuses its subject by an assertion: a law that stumbles over something else proves nothing. */
export const rejects = async (law: () => unknown): Promise<void> => {
  const outcome = await Promise.resolve()
    .then(law)
    .then(
      () => "accepted",
      (error: unknown) => {
        const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error
        return reason instanceof Error ? reason.name : String(reason)
      }
    )
  assert.strictEqual(outcome, "AssertionError")
}
