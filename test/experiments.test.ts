import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { DistillPlan } from "homodistil/distill"
import { Experiment, Runner, Scale } from "homodistil/experiment"
import { Listing } from "homodistil/report"
import { Digest, Spec } from "homodistil/spec"
import { materials } from "./experiment/toy.ts"

const folder = fileURLToPath(new URL("../experiments/", import.meta.url))
const files = readdirSync(folder).filter((file) => file.endsWith(".ts"))

const load = async (file: string): Promise<unknown> => {
  const module: unknown = await import(/* @vite-ignore */ `${folder}${file}`)
  return Reflect.get(Object(module), "default")
}

const experiment = async (file: string): Promise<Experiment.ExperimentOptions> => {
  const made = await load(file)
  if (!Experiment.isExperiment(made)) throw new Error(`${file}: its default export is no experiment`)
  return made
}

const loaded = await Promise.all(files.map(async (file) => ({ file, made: await load(file) })))
const experiments = loaded.flatMap(({ file, made }) => (Experiment.isExperiment(made) ? [file] : []))
const listings = loaded.flatMap(({ file, made }) => (Listing.isListing(made) ? [{ file, listing: made }] : []))

const cellsOf = (experiment: Experiment.ExperimentOptions, scale: Scale.Scale) =>
  Effect.runPromise(Runner.plan({ experiment, scale, seeds: [0, 1], materials }))

it("every file of the folder is an experiment or a listing", () =>
  assert.strictEqual(experiments.length + listings.length, files.length))

describe.each(experiments)("experiments/%s", (file) => {
  it("is called as its file", async () => assert.strictEqual(`${(await experiment(file)).name}.ts`, file))

  it.each(Scale.all.map(({ name }) => name))("has different cells at %s scale", async (name) => {
    const scale = Scale.all.find((each) => each.name === name) ?? Scale.micro
    const cells = await cellsOf(await experiment(file), scale)
    const keys = new Set(cells.map(({ key }) => key))
    // a scale that decides the number of steps makes rows alike that differ in nothing else
    const alike = new Set(
      cells.map(
        ({
          row: {
            plan: { training, ...rest }
          },
          seed
        }) =>
          Digest.of({
            seed,
            rest: Spec.toJson(DistillPlan.spec({ ...rest, training: { ...training, spec: Spec.make("any") } }))
          })
      )
    )
    assert.isAtLeast(keys.size, 2)
    assert.strictEqual(keys.size, "steps" in scale.training ? alike.size : cells.length)
  })

  it("has different columns", async () => {
    const ids = (await experiment(file)).measure.flatMap(({ columns }) => columns.map(({ id }) => id))
    assert.strictEqual(new Set(ids).size, ids.length)
  })
})

describe.each(listings)("experiments/$file", ({ file, listing }) => {
  it("is called as its file, and has an entry for every column it names", () => {
    assert.strictEqual(`${listing.name}.ts`, file)
    const { columns, rows } = listing.table()
    assert.isAbove(rows.length, 3)
    for (const { id } of columns) assert.isTrue(rows.some(({ cells }) => cells[id] !== undefined))
  })
})

describe("experiments share cells", () => {
  const keysOf = async (file: string) =>
    new Map(
      (await cellsOf(await experiment(file), Scale.micro)).map(({ key, row, seed }) => [key, `${row.own} ${seed}`])
    )
  const common = async (one: string, other: string) => {
    const [a, b] = [await keysOf(one), await keysOf(other)]
    return [...a].flatMap(([key, name]) => (b.has(key) ? [name] : []))
  }
  it.each([
    ["figure3.ts", "table6.ts", ["homoDistil 0", "homoDistil 1"]],
    ["table5.ts", "table6.ts", ["all 0", "all 1"]],
    [
      "figure1.ts",
      "figure3.ts",
      ["randomStudent 0", "oneShot 0", "homoDistil 0", "randomStudent 1", "oneShot 1", "homoDistil 1"]
    ],
    [
      "figure3.ts",
      "table3.ts",
      ["randomStudent 0", "oneShot 0", "homoDistil 0", "randomStudent 1", "oneShot 1", "homoDistil 1"]
    ]
  ])("%s with %s", async (one, other, names) => assert.deepStrictEqual(await common(one, other), names))

  it("Table 4's are those of Table 3", async () =>
    assert.deepStrictEqual([...(await keysOf("table4.ts")).keys()], [...(await keysOf("table3.ts")).keys()]))
})
