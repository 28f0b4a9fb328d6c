import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Backend } from "homodistil/backend"
import { HuggingFace } from "homodistil/checkpoint"
import { StudentStep } from "homodistil/distill"
import { BertConfig, Parameters } from "homodistil/model"
import { golden } from "../golden/golden.ts"
import { command, root, setup } from "./terminal.ts"
import { tinyConfig, tinyModel, writeTinyTeacher } from "./tinyTeacher.ts"

const folder = mkdtempSync(join(tmpdir(), "homodistil-cli-"))
const at = (...path: ReadonlyArray<string>): string => join(folder, ...path)
const teacher = at("teacher")
const own = join(root, "test", "cli", "tinyExperiment.ts")

const files = <A, E>(effect: Effect.Effect<A, E, NodeServices.NodeServices>): Promise<A> =>
  Effect.runPromise(effect.pipe(Effect.provide(NodeServices.layer)))

beforeAll(() => files(writeTinyTeacher(teacher)))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("Flags in --help", () => {
  const verbs = ["list", "show", "diff", "verify", "gc", "export"].map((verb) => `runs ${verb}`)
  it.each(["", "reproduce", "distill", "pretrain", "runs", ...verbs])("homodistil %s", async (name) => {
    const words = name.split(" ").filter((word) => word !== "")
    const { code, out, error } = await command([...words, "--help"])
    assert.deepStrictEqual([code, error], [0, ""])
    assert.match(out, /EXAMPLES/)
    golden(`${["help", ...words].join("-")}.txt`, out)
  })

  it("is what a bare command shows", async () => {
    const { code, out } = await command([])
    assert.strictEqual(code, 0)
    assert.include(out, "SUBCOMMANDS")
  })
})

/** Each mistake: the command line, and what is said about it, line by line. */
const mistakes: ReadonlyArray<readonly [args: ReadonlyArray<string>, said: ReadonlyArray<RegExp>]> = [
  [["reproduec", "table6"], [/^reproduec: there is no such command; .*homodistil --help/]],
  [
    ["reproduce", "table6", "--jbos", "2"],
    [/^--jbos: there is no such option; did you mean --jobs\? see homodistil reproduce --help/]
  ],
  [["reproduce", "table6", "--jobs", "two"], [/^--jobs = two: must be .*number/]],
  [["reproduce"], [/argument: experiment/]],
  [
    ["reproduce", "tabel6"],
    [/^EXPERIMENT = tabel6: must be all, one of table1, table2, .*, figure3.*; use for example table6$/]
  ],
  [["reproduce", "no/such/file.ts"], [/^EXPERIMENT = no\/such\/file.ts: must be the path of a file that exists/]],
  [
    ["reproduce", "table6", "--scale", "huge", "--seeds", "0", "--jobs", "0", "--threads", "99"],
    [
      /^--scale = huge: must be one of smoke, micro/,
      /^--threads = 99: must be a whole number from 1 to 2/,
      /^--seeds = 0/,
      /^--jobs = 0/
    ]
  ],
  [
    ["reproduce", "table6", "--teacher", at("nowhere")],
    [/^--teacher = .*nowhere: must be a folder with config.json.*homodistil pretrain/]
  ],
  [
    ["distill", "--out", at("x"), "--ratio", "0", "--steps", "0", "--scorer", "platoon", "--mode", "soft"],
    [/^--scorer = platoon: must be one of platon/, /^--ratio = 0: must be/, /^--steps = 0/, /^--mode = soft/]
  ],
  [
    ["distill", "--out", at("x"), "--ratio", "-.5"],
    [/^--ratio = -0.5: must be a value between 0 \(excluded\) and 1; use for example --ratio 0.25/]
  ],
  [["distill", "--out", at("x"), "--start", ".9", "--end", ".5"], [/^--end = 0.5: must be above start = 0.9/]],
  [
    ["distill", "--out", at("x"), "--schedule", "constant", "--ratio", ".5"],
    [/^--ratio = 0.5: must be left out with --schedule constant/]
  ],
  [
    ["distill", "--out", join(root, "package.json"), "--teacher", teacher],
    [/^cannot write .*package.json: a file of that name is in the way; .*--out/]
  ],
  [
    ["pretrain", "--out", at("x"), "--hidden", "30", "--dropout", "1"],
    [/^--hidden = 30: must be a multiple of --heads \(4\)/, /^--dropout = 1/]
  ]
]

describe("a mistake", () => {
  it.each(mistakes.map(([args, said]) => ({ line: args.join(" ").replaceAll(folder, ""), args, said })))(
    "$line",
    async ({ args, said }) => {
      const { code, out, error } = await command(args)
      assert.deepStrictEqual([code, out], [1, ""])
      const lines = error.trimEnd().split("\n")
      assert.lengthOf(lines, said.length)
      said.forEach((pattern, i) => assert.match(lines[i] ?? "", pattern))
      assert.isFalse(existsSync(at("x")), "something was written")
    }
  )

  it("of the ExperimentFile: what it exports, what it throws", async () => {
    const said = async (name: string, text: string) => {
      writeFileSync(at(name), text)
      return (await command(["reproduce", at(name)])).error
    }
    assert.match(await said("a.mjs", "export default 1"), /must be a module whose default export is an experiment/)
    assert.match(
      await said("b.mjs", "throw new Error('no such thing')"),
      /b.mjs: must be a module that can be loaded; correct it: no such thing\n$/
    )
  })

  it("of the teacher: its vocabulary, its positions", async () => {
    const other = BertConfig.uniform({ vocabSize: 50, positions: 64, layers: 1, heads: 1, hidden: 4, ffn: 4 })
    const short = { ...tinyConfig, positions: 32 }
    const said = async (name: string, contents: Partial<HuggingFace.Contents>) => {
      await files(writeTinyTeacher(at(name), contents))
      const { code, error } = await command(["distill", "--out", at("x"), "--teacher", at(name), "--quiet"])
      assert.strictEqual(code, 1)
      return error
    }
    assert.match(
      await said("other", tinyModel(other)),
      /^vocabulary of the teacher: expected 50 pieces, got 4096 pieces; use the tokenizer/
    )
    assert.match(
      await said("stranger", { provenance: { tokenizer: "abcdef" } }),
      /^vocabulary of the teacher: expected digest abcdef, got digest/
    )
    assert.match(
      await said("short", tinyModel(short)),
      /^--teacher = .*short: must be a model of at least 64 positions; it has 32/
    )
  })
})

describe("a bug", () => {
  it("says that it is one, and exits with 70", async () => {
    const backend = () => {
      throw new RangeError("a bolt is loose")
    }
    const { code, out, error } = await command(["reproduce", own, "--teacher", teacher, "--dry-run"], { backend })
    assert.deepStrictEqual([code, out], [70, ""])
    assert.match(
      error,
      /^This is a bug of homodistil, not a mistake of yours\. Please report it.*\nRangeError: a bolt is loose\n/
    )
  })
})

describe("Reproduce", () => {
  const args = ["reproduce", own, "--scale", "smoke", "--teacher", teacher, "--store", at("runs"), "--out", at("tiny")]

  it("runs an experiment of one's own, keeps its cells, and renders the same from them", async () => {
    const planned = await command([...args, "--dry-run"])
    assert.deepStrictEqual([planned.code, planned.error, planned.out.match(/missing +seed/g)?.length], [0, "", 2])
    const costs = await command([...args, "--plan"])
    assert.match(costs.out, /In all 2 different cells .*, none of them kept: [\d.]+ GFLOP\n/)
    assert.isFalse(existsSync(at("tiny")))

    const first = await command(args)
    assert.strictEqual(first.code, 0, first.error)
    assert.deepStrictEqual(readdirSync(at("tiny")).toSorted(), [
      "discrepancy.csv",
      "discrepancy.svg",
      "index.html",
      "table.csv",
      "table.json",
      "table.md",
      "table.svg",
      "table.tex"
    ])
    assert.lengthOf(readdirSync(at("runs", "cells")), 2)
    const markdown = readFileSync(at("tiny", "table.md"), "utf8")
    assert.include(markdown, "../runs/cells/")
    assert.isTrue(first.out.startsWith(markdown.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").split("\n")[0] ?? "none"))
    assert.match(first.out, /\| magnitude \(baseline\) +\| +\d/)
    assert.match(first.error, /at smoke scale: 2 cells; 2 at a time\n/)

    const left = await command([...args, "--plan"])
    assert.match(left.out, /, 2 of 2 kept and not counted below\nNothing is left to run\.\n/)

    const written = () => readdirSync(at("tiny")).map((name) => readFileSync(at("tiny", name), "utf8"))
    const before = written()
    // on a backend that cannot do anything, so nothing is run
    const asked = () => Effect.die("a backend was asked for")
    const idle = Backend.of({
      name: "idle",
      compile: asked,
      sweep: asked,
      upload: asked,
      vector: asked,
      view: asked,
      write: asked,
      sumOfSquares: asked,
      download: asked,
      peek: asked,
      release: asked,
      live: asked()
    })
    const dead = { spec: setup.backend(1).spec, layer: Layer.succeed(Backend, idle) }
    const second = await command([...args, "--quiet"], { backend: () => dead })
    assert.deepStrictEqual([second.code, second.error], [0, ""])
    assert.deepStrictEqual(written(), before)
  })

  it("names a kept cell that is damaged", async () => {
    const [name = ""] = readdirSync(at("runs", "cells"))
    writeFileSync(at("runs", "cells", name, "result.json"), "{}")
    const { code, error } = await command(args)
    assert.strictEqual(code, 1)
    assert.match(error, new RegExp(`${name}/result.json cannot be used: .*; delete .*`))
  })
})

describe("Distill and Pretrain", () => {
  it("write a student that says how it was made", async () => {
    const shape = "--scorer magnitude --ratio .5 --batch 2 --mode masked --steps 4 --prune-every 2".split(" ")
    const { code, out, error } = await command([
      "distill",
      "--out",
      at("student"),
      "--teacher",
      teacher,
      "--store",
      at("distilled"),
      ...shape
    ])
    assert.strictEqual(code, 0, error)
    assert.match(
      error,
      /^magnitude, cubic\(final: 0.5, start: 0, end: 0.3\), local\(multiples: \{\}\), masked\(regrowth: false\), loss mlm \+ kl \+ hidden \+ embedding \+ attention\n.*\nteacher +1 +8 +16 .*\nstudent +1 +4 +8 /
    )
    assert.match(out, /^ +teacher +student\nparameters +38\.1k +21\.0k\n/)
    assert.match(out, /\ndiscrepancy to the teacher +0\.000 nats +[\d.]+ nats\n/)
    assert.include(readFileSync(at("student", "README.md"), "utf8"), "| 38.1k |")
    const student = await files(HuggingFace.read(at("student")))
    assert.deepStrictEqual([student.config.hidden, student.config.ffn], [4, [8]])
    assert.include(
      JSON.stringify(student.provenance),
      " --scorer magnitude --ratio 0.5 --schedule cubic --prune-every 2 --steps 4 --batch 2"
    )
    assert.deepStrictEqual(Object.keys(student.tokenizerFiles).length, 4)
  })

  it("write a student of the teacher's shape of which single weights are zero, and as many as were asked for", async () => {
    const shape = "--ratio .3 --batch 2 --mode unstructured --window 2 --steps 4 --prune-every 2".split(" ")
    const { code, out, error } = await command([
      "distill",
      "--out",
      at("sparse"),
      "--teacher",
      teacher,
      "--store",
      at("distilled"),
      ...shape
    ])
    assert.strictEqual(code, 0, error)
    const { config, parameters } = await files(HuggingFace.read(at("sparse")))
    assert.deepStrictEqual([config.hidden, config.ffn], [tinyConfig.hidden, tinyConfig.ffn])
    const matrices = StudentStep.matrices(tinyConfig).flatMap(({ name }) => [...(parameters[name]?.data ?? [])])
    assert.strictEqual(matrices.filter((x) => x === 0).length, Math.floor(matrices.length * (1 - 0.3)))
    const left = Parameters.count(Parameters.bert(config), BertConfig.axes(config)) - Math.floor(matrices.length * 0.7)
    const words = `${(left / 1000).toFixed(1)}k`
    assert.match(error, new RegExp(`to the same widths, 30 % of the weights of matrices: ${words} parameters`))
    assert.match(out, new RegExp(`\nparameters +38\\.1k +${words}\n`))
  })

  it("write a teacher that can be distilled", async () => {
    const shape = ["--layers", "1", "--hidden", "8", "--heads", "2", "--batch", "2", "--threads", "1"]
    const { code, out, error } = await command([
      "pretrain",
      "--out",
      at("own"),
      "--steps",
      "4",
      "--every",
      "2",
      ...shape
    ])
    assert.strictEqual(code, 0, error)
    assert.match(out, /own: held-out loss 8\.\d+, accuracy \d\.\d %, in/)
    assert.match(error, /pretraining {2}4\/4 {2}masked {2}loss 8\.\d+ {2}held-out loss/)
    const { config, provenance } = await files(HuggingFace.read(at("own")))
    assert.deepStrictEqual([config.layers, config.hidden, config.vocabSize], [1, 8, 4096])
    assert.deepInclude(provenance, { seed: 0, versions: { homodistil: "0.0.0" } })
  })
})
