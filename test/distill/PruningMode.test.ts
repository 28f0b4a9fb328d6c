import { PruningMode } from "homodistil/distill"
import { assert, it } from "vitest"

it("the modes differ in their description", () => {
  const modes = [
    PruningMode.hard,
    PruningMode.masked(),
    PruningMode.masked({ regrowth: true }),
    PruningMode.unstructured
  ]
  assert.strictEqual(new Set(modes.map(({ spec }) => JSON.stringify(spec))).size, 4)
  assert.deepEqual(
    modes.map(({ masked, regrowth }) => [masked, regrowth]),
    [
      [false, false],
      [true, false],
      [true, true],
      [false, true]
    ]
  )
  assert.deepEqual(
    modes.map(({ unstructured }) => unstructured === true),
    [false, false, false, true]
  )
})
