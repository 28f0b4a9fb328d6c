import { assert, describe, it } from "@effect/vitest"
import { done, race, unexpected } from "../experiment/store/race.ts"

describe("processes on one store", () => {
  it("gives the cells of killed processes to others, and no cell to two", async () => {
    const lines = await race(12, async (racers, another) => {
      for (let i = 0; i < 4; i++) {
        const racer = racers[i]
        await racer?.worked
        racer?.child.kill("SIGKILL")
        racers.push(another())
      }
    })
    assert.deepStrictEqual(unexpected(lines), [])
    assert.strictEqual(new Set(done(lines)).size, done(lines).length)
  })
})
