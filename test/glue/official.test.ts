import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { OnnxBackend } from "../../src/backend/index.ts"
import { HuggingFace } from "../../src/checkpoint/index.ts"
import {
  encodeTask,
  type GlueName,
  glueNames,
  loadTokenizer,
  readGlue,
  type TextSplit,
  tokenizerDirectory
} from "../../src/data/index.ts"
import { TextFineTune } from "../../src/evaluate/index.ts"
import { Seed } from "../../src/spec/index.ts"

// the folder that HOMODISTIL_GLUE names, or the one beside the project; without either all is skipped, and says so
const beside = fileURLToPath(new URL("../../../shared/data/glue", import.meta.url))
const directory = process.env["HOMODISTIL_GLUE"] ?? beside
const isThere = existsSync(directory)
const folders = isThere ? readdirSync(directory) : []
const has = (name: GlueName) => folders.some((folder) => folder.toLowerCase().replaceAll(/[^a-z0-9]/g, "") === name)
const present = glueNames.filter(has)
if (present.length === 0)
  process.stdout.write(
    `test:glue: skipped, no task of GLUE in ${directory}; set HOMODISTIL_GLUE to the folder GLUE was unpacked in\n`
  )

/** The examples of each official file, by Wang et al. 2019 and the files themselves; QQP has been given out in several versions. */
const official: Readonly<Partial<Record<GlueName, ReadonlyArray<number>>>> = {
  cola: [8551, 1043],
  sst2: [67_349, 872],
  mrpc: [3668, 408],
  stsb: [5749, 1500],
  mnli: [392_702, 9815, 9832],
  qnli: [104_743, 5463],
  rte: [2490, 277],
  wnli: [635, 71]
}

/** The rows of a file, counted without the reader: its lines, less the one of column names. */
const rowsOf = (name: GlueName, { file }: TextSplit): number =>
  readFileSync(file, "utf8")
    .split(/\r\n|\r|\n/)
    .filter((line) => line !== "").length - (name === "cola" ? 0 : 1)

const run = <A, E>(effect: Effect.Effect<A, E, Effect.Services<ReturnType<typeof readGlue>>>) =>
  Effect.runPromise(effect.pipe(Effect.provide(NodeServices.layer)))

describe.skipIf(present.length === 0)("GLUE's official files", () => {
  it.each(present)("%s: every row is read, as many as there are", (name) =>
    run(
      Effect.gen(function* () {
        const { train, dev, labels } = yield* readGlue(name, directory)
        const splits = [train, ...dev]
        const counts = splits.map(({ texts, leftOut }) => texts.length + leftOut.count)
        assert.deepStrictEqual(
          counts,
          splits.map((split) => rowsOf(name, split))
        )
        if (name !== "qqp") assert.isTrue(splits.every(({ leftOut }) => leftOut.count === 0))
        // there are copies of MRPC that lack one row of 3,668
        const expected = official[name]?.map((count, i) =>
          name === "mrpc" && i === 0 ? Math.min(count, counts[0] ?? 0) : count
        )
        if (expected !== undefined) assert.deepStrictEqual(counts, expected)
        if (name === "mrpc") assert.isAtLeast(counts[0] ?? 0, 3667)
        const classes = labels.kind === "classes" ? labels.classes.length : 2
        for (const { texts } of splits) assert.isAtLeast(new Set(texts.map(({ label }) => label)).size, classes)
      })
    )
  )
})

describe.skipIf(!present.includes("sst2"))("SST-2", () => {
  it("is learned by the micro teacher: 100 steps go well beyond the more frequent class", () =>
    run(
      Effect.gen(function* () {
        const task = yield* readGlue("sst2", directory)
        const { config, parameters } = yield* HuggingFace.read("assets/teacher", "--teacher")
        const encoded = encodeTask(task, yield* loadTokenizer(yield* tokenizerDirectory), config.positions)
        const options = { epochs: 1, examples: 3200, learningRate: 5e-4, pooling: "mean" } as const
        const tuning = TextFineTune.make(encoded, options)
        const { best, steps } = yield* TextFineTune.run(tuning, { config, parameters }, Seed.make(0))
        assert.strictEqual(steps, 100)
        assert.isAbove(best.score, 0.6)
      }).pipe(Effect.provide(OnnxBackend.layer()))
    ))
})
