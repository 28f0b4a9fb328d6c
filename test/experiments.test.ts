import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Experiment, Runner, Scale } from "homodistil/experiment"
import { materials } from "./experiment/toy.ts"

const folder = fileURLToPath(new URL("../experiments/", import.meta.url))
const files = readdirSync(folder).filter((file) => file.endsWith(".ts"))

const load = async (file: string): Promise<Experiment.ExperimentOptions> => {
  const module: unknown = await import(/* @vite-ignore */ `${folder}${file}`)
  const made: unknown = Reflect.get(Object(module), "default")
  if (!Experiment.isExperiment(made)) throw new Error(`${file}: its default export is no experiment`)
  return made
}

const cellsOf = (experiment: Experiment.ExperimentOptions, scale: Scale.Scale) =>
  Effect.runPromise(Runner.plan({ experiment, scale, seeds: [0, 1], materials }))

describe.each(files)("experiments/%s", (file) => {
  it("is called as its file", async () => assert.strictEqual(`${(await load(file)).name}.ts`, file))

  it.each(Scale.all.map(({ name }) => name))("has different cells at %s scale", async (name) => {
    const scale = Scale.all.find((each) => each.name === name) ?? Scale.micro
    const cells = await cellsOf(await load(file), scale)
    assert.isAtLeast(cells.length, 4)
    assert.strictEqual(new Set(cells.map(({ key }) => key)).size, cells.length)
  })

  it("has different columns", async () => {
    const ids = (await load(file)).measure.flatMap(({ columns }) => columns.map(({ id }) => id))
    assert.strictEqual(new Set(ids).size, ids.length)
  })
})

it("Figure 3 finds the PLATON cells of Table 6", async () => {
  const [table6, figure3] = await Promise.all(
    ["table6.ts", "figure3.ts"].map(async (file) => cellsOf(await load(file), Scale.micro))
  )
  const known = new Set(table6?.map(({ key }) => key))
  assert.deepStrictEqual(
    figure3?.filter(({ key }) => known.has(key)).map(({ row, seed }) => [row.name, seed]),
    [
      ["fromTeacher", 0],
      ["fromTeacher", 1]
    ]
  )
})
