import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { HuggingFace, Safetensors } from "homodistil/checkpoint"
import { glueNames, loadTokenizer, tokenizerDirectory } from "homodistil/data"
import { TextGrid } from "homodistil/evaluate"
import { Parameters } from "homodistil/model"
import * as ClassifierFolder from "../../src/cli/ClassifierFolder.ts"
import * as FineTuneSettings from "../../src/cli/FineTuneSettings.ts"
import * as FineTuningView from "../../src/cli/FineTuningView.ts"
import * as ModelFolder from "../../src/cli/ModelFolder.ts"
import { casedFiles } from "../data/tokenizers.ts"
import { encodedToy } from "../evaluate/texts.ts"
import { golden } from "../golden/golden.ts"
import { command, root } from "./terminal.ts"
import { tinyConfig, tinyModel, tinyPooler, writeTinyTeacher } from "./tinyTeacher.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-fine-tune-"))
const at = (...path: ReadonlyArray<string>): string => join(folder, ...path)
const glue = join(root, "test", "data", "fixtures", "glue")
const files = <A, E>(effect: Effect.Effect<A, E, NodeServices.NodeServices>): Promise<A> =>
  Effect.runPromise(effect.pipe(Effect.provide(NodeServices.layer)))

/** Texts whose label is their first word: what even a tiny model learns. */
const reviews = (count: number): string =>
  Array.from({ length: count }, (_, n) => {
    const label = n % 2 === 0 ? "good" : "bad"
    return `${JSON.stringify({ review: `${label} ${"and so on ".repeat(n % 3)}${n}`, mood: label, stars: n % 2 })}\n`
  }).join("")

beforeAll(async () => {
  await files(writeTinyTeacher(at("model")))
  writeFileSync(at("train.jsonl"), reviews(64))
  writeFileSync(at("dev.jsonl"), reviews(20))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A part of a command line as its words. */
const words = (line: string): ReadonlyArray<string> => line.split(" ")

const fineTune = (...more: ReadonlyArray<string>) => command(["fine-tune", "--model", at("model"), ...more])
const own = ["--train", at("train.jsonl"), "--dev", at("dev.jsonl"), "--text-column", "review"]

describe("fine-tune", () => {
  it.each(glueNames)("takes GLUE's %s", async (task) => {
    const { code, out, error } = await fineTune("--glue", glue, "--task", task, "--quiet")
    assert.deepStrictEqual([code, error], [0, ""])
    const [head = "", row = "", , best = ""] = out.split("\n")
    assert.match(head, /^learning rate {2}epochs {2}seed {2}step {2}\S/)
    assert.match(row, /^ +0\.0001 +1 +0 +1( +-?\d+\.\d)+$/)
    assert.match(best, /^best: learning rate 0\.0001, 1 epoch: /)
  })

  it("learns a task of one's own with several settings and seeds", async () => {
    const { code, out, error } = await fineTune(
      ...own,
      ...words("--label-column mood --learning-rate 1e-5,3e-2 --epochs 10 --seeds 2 --batch 8")
    )
    assert.strictEqual(code, 0)
    assert.match(error, /^task: 64 texts to learn from, 20 to judge on\n/)
    assert.match(error, /fine-tuning {2}4 of 4 {2}learning rate 0\.03, 10 epochs, seed 1 .* 80\/80 .*score 100\.0/)
    const rows = out.split("\n").map((line) => line.trim().split(/ {2,}/))
    assert.deepStrictEqual(rows[0], ["learning rate", "epochs", "seed", "step", "task accuracy"])
    const seeds = rows.slice(1, 7).map(([rate, epochs, seed]) => [rate, epochs, seed].join(" "))
    assert.deepStrictEqual(
      seeds,
      ["0.00001", "0.03"].flatMap((rate) => ["0", "1", "all"].map((seed) => `${rate} 10 ${seed}`))
    )
    assert.match(out, /best: learning rate 0\.03, 10 epochs: 100\.0 ± 0\.0, in /)
  })

  it("learns from as many examples as it is told, until patience ends it, and gives the same numbers again", async () => {
    const once = () =>
      fineTune(
        ...own,
        ...words("--label-column stars --labels score --examples 16 --batch 4 --length 16"),
        ...words("--epochs 20 --patience 1 --learning-rate 1e-9 --pooling cls")
      )
    const { code, out, error } = await once()
    assert.strictEqual(code, 0)
    assert.match(error, /^task: 16 of 64 texts to learn from/)
    assert.match(error, /fine-tuning {2}1\/80/)
    assert.notMatch(error, /80\/80/)
    assert.match(out, /task Pearson {2}task Spearman +mean\n/)
    assert.strictEqual((await once()).out.split("\n")[1], out.split("\n")[1])
  })

  it("writes the best model with its head, which a BERT is read from again", async () => {
    const { code, out } = await fineTune(
      ...own,
      ...words(`--label-column mood --pooling pooler --out ${at("out")} --learning-rate 1e-2 --quiet`)
    )
    assert.strictEqual(code, 0)
    assert.include(out, `Written to ${at("out")}.\n`)
    const config: unknown = JSON.parse(readFileSync(at("out", "config.json"), "utf8"))
    assert.deepInclude(config, {
      architectures: ["BertForSequenceClassification"],
      id2label: { 0: "bad", 1: "good" },
      label2id: { bad: 0, good: 1 }
    })
    const { values } = Effect.runSync(
      Effect.fromResult(Safetensors.decode(readFileSync(at("out", "model.safetensors"))))
    )
    const encoder = Parameters.bert({ ...tinyConfig, head: "none" }).map(({ name }) => name)
    const head = ["bert.pooler.dense.bias", "bert.pooler.dense.weight", "classifier.bias", "classifier.weight"]
    assert.sameMembers(Object.keys(values), [...encoder, ...head])
    const read = await files(HuggingFace.read(at("out")))
    assert.strictEqual(read.config.head, "none")
    for (const [name, tensor] of Object.entries(read.parameters)) {
      assert.deepStrictEqual(tensor, values[name])
      assert.notDeepEqual(tensor, tinyModel().parameters[name], `${name} did not move`)
    }
    assert.match(JSON.stringify(read.provenance), /"pooling":"pooler".*"pooler":"random"/)
    // a folder with other files is not touched
    writeFileSync(at("out", "notes.txt"), "mine")
    const again = await fineTune(...own, "--label-column", "mood", "--pooling", "pooler", "--out", at("out"))
    assert.match(again.error, /^cannot write /)
  })

  it("starts from the pooler of the checkpoint, says so, and goes on from what it wrote", async () => {
    const pooler = tinyPooler()
    await files(writeTinyTeacher(at("pooled"), { pooler }))
    const tuned = async (model: string, out: string) => {
      const { code, error } = await command([
        ...words(`fine-tune --model ${at(model)} --label-column mood --pooling pooler --out ${at(out)}`),
        // steps so small that float32 does not see them
        ...words("--learning-rate 1e-30"),
        ...own
      ])
      assert.strictEqual(code, 0)
      return { error, ...(await files(HuggingFace.read(at(out)))) }
    }
    const first = await tuned("pooled", "tuned")
    assert.match(first.error, /20 to judge on\nthe pooler starts as the model's own\n/)
    assert.deepStrictEqual(first.pooler, pooler)
    assert.match(JSON.stringify(first.provenance), /"pooler":"model"/)
    assert.deepStrictEqual((await tuned("tuned", "again")).pooler, pooler)
    const none = await tuned("model", "drawn")
    assert.match(none.error, /the pooler starts at random, for the model has none\n/)
    assert.notDeepEqual(none.pooler, pooler)
    assert.isDefined(none.pooler)
    const { error } = await command(["fine-tune", "--model", at("pooled"), "--label-column", "mood", ...own])
    assert.notInclude(error, "pooler")
  })

  it("says all that is wrong at once, and writes nothing", async () => {
    const said = async (args: ReadonlyArray<string>, patterns: ReadonlyArray<RegExp>) => {
      const { code, out, error } = await fineTune(...args, "--quiet")
      assert.deepStrictEqual([code, out], [1, ""])
      const lines = error.trimEnd().split("\n")
      assert.lengthOf(lines, patterns.length, error)
      patterns.forEach((pattern, i) => assert.match(lines[i] ?? "", pattern))
    }
    await said([], [/^--train = nothing: must be what to fine-tune on/])
    await said(["--task", "sst2"], [/^--glue = nothing: must be what to fine-tune on/])
    await said(["--glue", glue], [/^--task = nothing: must be one of cola, sst2/])
    await said(
      ["--glue", glue, "--task", "sst3", "--train", "x.tsv", "--dev", "y.tsv"],
      [/^--task = sst3: must be one of/, /^--train = x\.tsv: must be left out with --glue/, /^--dev = y\.tsv/]
    )
    await said(
      ["--train", "x.tsv", "--metrics", "bleu"],
      [/^--text-column = nothing/, /^--label-column = nothing/, /^--metrics = bleu: must be of accuracy/]
    )
    await said(
      [
        ...words(`--glue ${glue} --task rte --learning-rate 1e-4,1e-4 --epochs 0 --seeds 0`),
        ...words("--batch 0 --pooling max --examples 0 --patience 0 --threads 99")
      ],
      [
        /^--learning-rate = 1e-4,1e-4/,
        /^--epochs = 0/,
        /^--seeds = 0/,
        /^--batch = 0/,
        /^--pooling = max/,
        /^--examples = 0/,
        /^--patience = 0/,
        /^--threads = 99/
      ]
    )
    await said(["--glue", glue, "--task", "rte", "--out", at("no")], [/^--pooling = mean: must be pooler with --out/])
    await said(
      ["--glue", glue, "--task", "rte", "--length", "65"],
      [/^--length = 65: must be a whole number from 8 to 64/]
    )
    await said(
      [...own.slice(2), "--train", at("train.txt"), "--label-column", "mood"],
      [/^--train = .*train\.txt: must/]
    )
    await said(
      [...own, "--label-column", "mood", "--metrics", "pearson"],
      [/^--metrics = pearson: must be metrics of classes/]
    )
    const { error } = await fineTune(...own, "--label-column", "moods")
    assert.match(error, /train\.jsonl: line 1, moods = "nothing": must be text or a number\n/)
    assert.isFalse(existsSync(at("no")))
  })

  it("refuses to write widths that BertForSequenceClassification has no words for, before it trains", async () => {
    const config = { ...tinyConfig, qk: tinyConfig.qk.map((width) => width / 2) }
    await files(writeTinyTeacher(at("uneven"), tinyModel(config)))
    const { code, error } = await command([
      ...words(`fine-tune --model ${at("uneven")} --glue ${glue} --task sst2`),
      ...words(`--pooling pooler --out ${at("no")} --quiet`)
    ])
    assert.strictEqual(code, 1)
    assert.match(error, /qk 4 is not hidden 8/)
    assert.isFalse(existsSync(at("no")))
  })
})

describe("FineTuningView", () => {
  const grids = fc.record({
    learningRates: fc.constantFrom([1e-4], [1e-4, 5e-5]),
    epochs: fc.constantFrom([1], [0.5, 3]),
    seeds: fc.constantFrom([0], [3, 1, 2])
  })

  it("counts down to nothing whatever the grid, at the pace so far", () => {
    fc.assert(
      fc.property(grids, fc.integer({ min: 1, max: 20 }), (grid, stepsPerEpoch) => {
        const trials = TextGrid.trials(grid)
        const stepsOf = (epochs: number) => Math.max(1, Math.round(epochs * stepsPerEpoch))
        const all = trials.reduce((sum, { epochs }) => sum + stepsOf(epochs), 0)
        let [view, done] = [FineTuningView.start(trials, 0), 0]
        for (const [index, trial] of trials.entries()) {
          view = FineTuningView.follow(view, { _tag: "Trial", trial, index, trials: trials.length })
          const steps = stepsOf(trial.epochs)
          view = FineTuningView.follow(view, { _tag: "Started", steps, stepsPerEpoch, parameters: 1 })
          for (let step = 1; step <= steps; step++) {
            view = FineTuningView.follow(view, { _tag: "Stepped", step, loss: 2, learningRate: 1e-4 })
            done++
            // one step takes ten seconds
            const parts = FineTuningView.parts(view, 10_000 * done)
            assert.include(parts, `${step}/${steps}`)
            assert.include(parts, "loss 2.00")
            const minutes = ((all - done) * 10) / 60
            const said = parts.find((part) => part.endsWith("left"))
            if (done === all) assert.isUndefined(said)
            else if (minutes >= 2 && minutes < 60)
              assert.strictEqual(said, `${Math.floor(minutes)} min ${((all - done) * 10) % 60} s left`)
          }
        }
      })
    )
  })

  it("shows means and deviations over the seeds that did not diverge", () => {
    const encoded = encodedToy()
    const trial = (seed: number, score?: number) => ({
      learningRate: 1e-4,
      epochs: 1,
      seed,
      best:
        score === undefined ? undefined : { step: 3, score, splits: [{ split: "dev", metrics: { accuracy: score } }] }
    })
    const trials = [trial(0, 0.5), trial(1, 0.7), trial(2), trial(3, 0.6)]
    const lines = FineTuningView.table(encoded, trials)
    assert.deepStrictEqual(
      lines.slice(1).map((line) => line.trim().split(/ {2,}/).slice(2)),
      [
        ["0", "3", "50.0"],
        ["1", "3", "70.0"],
        ["2", "diverged"],
        ["3", "3", "60.0"],
        ["all", "60.0 ± 10.0"]
      ]
    )
  })
})

describe("FineTuneSettings", () => {
  const number = fc.double({ min: 1e-12, max: 1e6, noNaN: true })
  const lists = fc.uniqueArray(number, { minLength: 1, maxLength: 4 })

  it("reads every list of different numbers above 0, and seeds", () => {
    fc.assert(
      fc.property(lists, lists, fc.integer({ min: 1, max: 9 }), (learningRates, epochs, seeds) => {
        const asked = { learningRate: learningRates.join(","), epochs: epochs.join(" , "), seeds: String(seeds) }
        const grid = Effect.runSync(Effect.all(FineTuneSettings.grid(asked)))
        assert.deepStrictEqual(grid, { learningRates, epochs, seeds: Array.from({ length: seeds }, (_, i) => i) })
      })
    )
  })

  it("refuses lists with anything else in them", () => {
    fc.assert(
      fc.property(lists, fc.constantFrom("", "0", "-1", "NaN", "Infinity", "x", "1e-4x"), (good, bad) => {
        const asked = { learningRate: [...good, bad].join(","), epochs: "1", seeds: "1" }
        const refused = Effect.runSync(Effect.flip(FineTuneSettings.grid(asked).learningRates))
        assert.deepStrictEqual(
          refused.problems.map(({ key }) => key),
          ["--learning-rate"]
        )
      })
    )
  })
})

describe("ModelFolder", () => {
  it("takes a model's own tokenizer, or the one that ships where it has none", async () => {
    const shipped = await files(Effect.flatMap(tokenizerDirectory, loadTokenizer))
    assert.strictEqual((await files(ModelFolder.read(at("model"), "--model"))).tokenizer.digest, shipped.digest)
    const cased = { ...tinyConfig, vocabSize: 384 }
    await files(writeTinyTeacher(at("cased"), { ...tinyModel(cased), tokenizerFiles: casedFiles }))
    const { tokenizer, tokenizerFiles } = await files(ModelFolder.read(at("cased"), "--model"))
    assert.strictEqual(tokenizer.vocabulary.length, 380)
    assert.deepStrictEqual(tokenizerFiles["vocab.txt"], casedFiles["vocab.txt"])
    // the table of embeddings has more rows than there are pieces
    const { code } = await command([
      "fine-tune",
      "--model",
      at("cased"),
      ...words(`--glue ${glue} --task cola --quiet`)
    ])
    assert.strictEqual(code, 0)
    const small = { ...tinyConfig, vocabSize: 300 }
    await files(writeTinyTeacher(at("small"), { ...tinyModel(small), tokenizerFiles: casedFiles }))
    const refused = await files(Effect.flip(ModelFolder.read(at("small"), "--model")))
    assert.match(refused.message, /vocabulary of the model: expected 300 pieces, got 380/)
  })
})

describe("ClassifierFolder", () => {
  it("writes scores as a regression, and queries with the usual factor on attention scores", async () => {
    const config = { ...tinyConfig, scale: 0.25 }
    const { parameters } = tinyModel()
    const labels = { kind: "score" } as const
    const tokenizerFiles = { "vocab.txt": new TextEncoder().encode("[UNK]\n[CLS]\n[SEP]\n[MASK]\n[PAD]\na\n") }
    await files(
      ClassifierFolder.write(at("scores"), { config, parameters, labels, tokenizerFiles, provenance: { seed: 3 } })
    )
    const json: unknown = JSON.parse(readFileSync(at("scores", "config.json"), "utf8"))
    assert.deepInclude(json, { problem_type: "regression", id2label: { 0: "score" }, pad_token_id: 4 })
    const read = await files(HuggingFace.read(at("scores")))
    assert.deepStrictEqual(read.config, tinyConfig)
    const query = "bert.encoder.layer.0.attention.self.query.weight"
    const [written, given] = [read.parameters[query]?.data, parameters[query]?.data]
    assert.strictEqual(written?.length, 64)
    const factor = config.scale / tinyConfig.scale
    written?.forEach((value, i) => assert.closeTo(value, factor * (given?.[i] ?? Number.NaN), 1e-7))
    assert.deepStrictEqual(read.provenance, { seed: 3 })
  })
})

describe("--help", () => {
  it("homodistil fine-tune", async () => {
    const { code, out } = await command(["fine-tune", "--help"])
    assert.strictEqual(code, 0)
    golden("help-fine-tune.txt", out)
  })
})
