import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Tensor } from "homodistil/backend"
import * as Scorer from "homodistil/importance"
import { after, history } from "../laws/scorers.ts"

const silent = () => {
  throw new RangeError("nobody asked for noise")
}

describe("scoreAll", () => {
  it("scores every parameter as its scorer does", async () => {
    const scorer = Scorer.platon({ window: 2 })
    const seen = [history(1, 5), history(2, 5)]
    const made = await Promise.all(seen.map((h) => after(scorer, h)))
    const named = <A>(f: (i: number) => A) => ({ a: f(0), b: f(1) })
    const params = named((i) => seen[i]?.params[4] ?? Tensor.scalar(0))
    const slots = Object.fromEntries(
      scorer.slots.map((slot) => [slot, named((i) => made[i]?.slots[slot] ?? Tensor.scalar(0))])
    )
    const scores = await Effect.runPromise(Scorer.scoreAll(scorer, params, slots, silent))
    for (const [i, name] of ["a", "b"].entries()) assert.deepStrictEqual(scores[name], made[i]?.scores)
  })

  it("draws noise by parameter, for scorers that ask", async () => {
    const params = { a: Tensor.host([1, 2]), b: Tensor.host([3]) }
    const noise = (name: string) => Tensor.host(name === "a" ? [0.25, 0.5] : [0.75])
    const scores = await Effect.runPromise(Scorer.scoreAll(Scorer.random(), params, {}, noise))
    assert.deepStrictEqual([scores["a"], scores["b"]], [noise("a"), noise("b")])
  })

  it("leaves the weights as they were, and dies where a slot lacks a parameter", async () => {
    const params = { a: Tensor.host([-1, 2]) }
    await Effect.runPromise(Scorer.scoreAll(Scorer.magnitude(), params, {}, silent))
    assert.deepStrictEqual([...params.a.data], [-1, 2])
    const exit = await Effect.runPromiseExit(Scorer.scoreAll(Scorer.sensitivity(), params, { mean: {} }, silent))
    assert.isTrue(Exit.hasDies(exit))
  })
})
