import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { availableParallelism, cpus } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { OnnxBackend } from "./backend/index.ts"
import { Cli, Screen, Setup } from "./cli/index.ts"
import { type CellRun, FileRunStore } from "./experiment/index.ts"
import { Spec } from "./spec/index.ts"

// The wiring: what the commands run with is decided here and nowhere else.

const here = import.meta.url
const root = fileURLToPath(new URL("..", here))
const Manifest = Schema.fromJsonString(
  Schema.Struct({ version: Schema.String, dependencies: Schema.Record(Schema.String, Schema.String) })
)
const { version, dependencies } = Schema.decodeSync(Manifest)(readFileSync(join(root, "package.json"), "utf8"))

/** The commit of the repository this is run from, if it is one, and whether its files differ from it. */
const git = (): CellRun.Machine["git"] => {
  if (!existsSync(join(root, ".git"))) return null
  const ask = (...args: ReadonlyArray<string>): string =>
    execFileSync("git", ["-C", root, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()
  try {
    return { commit: ask("rev-parse", "HEAD"), dirty: ask("status", "--porcelain", "--untracked-files=no") !== "" }
  } catch {
    return null
  }
}

const packages = Object.fromEntries(
  ["onnxruntime-node", "@tensorflow/tfjs-core", "effect"].map((name) => [name, dependencies[name] ?? "unknown"])
)

const setup = Layer.succeed(
  Setup.Setup,
  Setup.Setup.of({
    version,
    machine: Effect.sync(() => ({
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: availableParallelism(),
      version,
      packages,
      git: git()
    })),
    versions: {
      homodistil: version,
      node: process.version,
      ...Object.fromEntries(
        ["onnxruntime-node", "@tensorflow/tfjs-core"].map((name) => [name, dependencies[name] ?? "unknown"])
      )
    },
    cores: availableParallelism(),
    root,
    // an installed package has its experiments compiled, beside what was compiled from src/
    experiments: join(root, ...(here.endsWith(".ts") ? [] : ["dist"]), "experiments"),
    program: { module: fileURLToPath(here), nodeOptions: process.execArgv },
    backend: (threads) => ({
      spec: Spec.make("onnx", { options: { threads } }),
      layer: OnnxBackend.layer({ threads })
    }),
    store: FileRunStore.layer
  })
)

NodeRuntime.runMain(
  Cli.run(process.argv.slice(2)).pipe(Effect.provide(Layer.mergeAll(setup, Screen.layer, NodeServices.layer))),
  {
    disableErrorReporting: true,
    teardown: (exit, end) => end(Exit.isSuccess(exit) && typeof exit.value === "number" ? exit.value : 130)
  }
)
