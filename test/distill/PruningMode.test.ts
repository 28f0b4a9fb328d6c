import { PruningMode } from "homodistil/distill"
import { assert, it } from "vitest"

it("the modes differ in their description", () => {
  const modes = [PruningMode.hard, PruningMode.masked(), PruningMode.masked({ regrowth: true })]
  assert.strictEqual(new Set(modes.map(({ spec }) => JSON.stringify(spec))).size, 3)
  assert.deepEqual(
    modes.map(({ masked, regrowth }) => [masked, regrowth]),
    [
      [false, false],
      [true, false],
      [true, true]
    ]
  )
})
