import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { availableParallelism } from "node:os"
import process from "node:process"
import { fileURLToPath } from "node:url"
import manifest from "../package.json" with { type: "json" }
import { OnnxBackend } from "./backend/index.ts"
import { Cli, Screen, Setup } from "./cli/index.ts"
import { FileRunStore } from "./experiment/index.ts"
import { Spec } from "./spec/index.ts"

// The wiring: what the commands run with is decided here and nowhere else.

const { version, dependencies } = manifest

const setup = Layer.succeed(
  Setup.Setup,
  Setup.Setup.of({
    machine: { node: process.version, platform: `${process.platform}-${process.arch}`, version },
    versions: {
      homodistil: version,
      node: process.version,
      "onnxruntime-node": dependencies["onnxruntime-node"],
      "@tensorflow/tfjs-core": dependencies["@tensorflow/tfjs-core"]
    },
    cores: availableParallelism(),
    root: fileURLToPath(new URL("..", import.meta.url)),
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
