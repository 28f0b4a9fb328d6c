import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "fast-check"
import { Training } from "homodistil/distill"
import { seedsOf, seedsText } from "../../src/cli/ReproduceSettings.ts"
import * as Scorers from "../../src/cli/Scorers.ts"
import * as Settings from "../../src/cli/Settings.ts"

const messageOf = <A, E extends Error>(effect: Effect.Effect<A, E>): string =>
  Effect.runSync(Effect.flip(effect)).message

const training = (steps: number, rows: number) =>
  Settings.attempt({ steps: ["--steps", 400], rows: ["--batch", 16] }, () => Training.make({ steps, rows }))

describe("Settings", () => {
  it("turns what a constructor throws into a failure that names the flags", () => {
    assert.strictEqual(
      messageOf(training(0, -1)),
      "--steps = 0: must be a value greater than or equal to 1; use for example --steps 400\n" +
        "--batch = -1: must be a value greater than or equal to 1; use for example --batch 16"
    )
    assert.strictEqual(Effect.runSync(training(3, 2)).steps, 3)
  })

  it("leaves a bug a bug", () => {
    const exit = Effect.runSyncExit(
      Settings.attempt({}, () => {
        throw new RangeError("broken")
      })
    )
    assert.isTrue(Exit.hasDies(exit))
  })

  it("gathers the problems of all settings, each flag once", () => {
    const settings = {
      a: training(0, 1),
      b: Settings.count("--jobs", 9, 2, 1, 4),
      c: Effect.succeed(1),
      d: Settings.choice("--mode", "soft", { hard: 1, masked: 2 }),
      e: training(0, 1)
    }
    assert.deepStrictEqual(messageOf(Settings.checkAll(settings)).split("\n"), [
      "--steps = 0: must be a value greater than or equal to 1; use for example --steps 400",
      "--jobs = 9: must be a whole number from 1 to 4; use for example --jobs 2",
      "--mode = soft: must be one of hard, masked; use for example --mode hard"
    ])
  })

  it("knows no choice that an object has by itself", () =>
    assert.match(
      messageOf(Settings.choice("--mode", "toString", { hard: 1 })),
      /--mode = toString: must be one of hard/
    ))
})

describe("ReproduceSettings.seedsOf", () => {
  it("are so many from 0, or those listed", () => {
    assert.deepStrictEqual(Effect.runSync(seedsOf("3")), [0, 1, 2])
    assert.deepStrictEqual(Effect.runSync(seedsOf("5,0, 7")), [5, 0, 7])
    assert.deepStrictEqual(Effect.runSync(seedsOf("5,")), [5])
    assert.deepStrictEqual(Effect.runSync(seedsOf("0, ")), [0])
  })

  it("are all different, whole and at least one", () => {
    for (const text of ["0", "-1", "1.5", "", "a", "1,1", "1,,", ",", "99999999999", "5000"])
      assert.match(
        messageOf(seedsOf(text)),
        /^--seeds = .*: must be how many \(3\), or different seeds \(0,1,2; one alone: 5,\); use for example --seeds 3$/
      )
  })

  it("come back as they were listed", () =>
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 1e6 }), { minLength: 1, maxLength: 9 }), (seeds) => {
        assert.deepStrictEqual(Effect.runSync(seedsOf(seedsText(seeds))), seeds)
      })
    ))
})

describe("scorers", () => {
  it("are made under the name they are listed by", () => {
    for (const name of Object.keys(Scorers.scorers))
      assert.strictEqual(Effect.runSync(Scorers.scorer(name, {})).spec.name, name)
  })

  it("take the settings they have, and refuse those they have not", () => {
    assert.deepStrictEqual(Effect.runSync(Scorers.scorer("platon", { window: 3, beta1: 0.5 })).spec.options, {
      window: 3,
      beta1: 0.5,
      beta2: 0.95
    })
    assert.strictEqual(
      messageOf(Scorers.scorer("fisher", { beta1: 0.5 })),
      "--beta1 = 0.5: must be left out with --scorer fisher; it is for platon"
    )
    assert.match(
      messageOf(Scorers.scorer("platoon", {})),
      /^--scorer = platoon: must be one of platon, sensitivity, magnitude/
    )
  })
})
