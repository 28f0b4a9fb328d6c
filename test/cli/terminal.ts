import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { fileURLToPath } from "node:url"
import { OnnxBackend } from "homodistil/backend"
import { FileRunStore } from "homodistil/experiment"
import { Spec } from "homodistil/spec"
import * as Cli from "../../src/cli/Cli.ts"
import { Screen } from "../../src/cli/Screen.ts"
import { Setup, type SetupShape } from "../../src/cli/Setup.ts"

/** The project's folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url))

/** A screen that remembers what was written to it. */
export const screen = (o: { readonly live?: boolean; readonly columns?: number } = {}) => {
  const written = { out: "", error: "" }
  const layer = Layer.succeed(
    Screen,
    Screen.of({
      out: (text) => Effect.sync(() => void (written.out += text)),
      error: (text) => Effect.sync(() => void (written.error += text)),
      live: o.live ?? false,
      color: false,
      columns: Effect.succeed(o.columns ?? 80)
    })
  )
  return { written, layer }
}

/** What the commands run with in tests: the real things, on a machine of two cores. */
export const setup: SetupShape = {
  version: "0.0.0",
  machine: Effect.succeed({
    node: "v0",
    platform: "test",
    cpu: "none",
    cores: 2,
    version: "0.0.0",
    packages: {},
    git: null
  }),
  versions: { homodistil: "0.0.0" },
  cores: 2,
  root,
  experiments: `${root}experiments`,
  backend: (threads) => ({
    spec: Spec.make("onnx", { options: { threads } }),
    layer: OnnxBackend.layer({ threads })
  }),
  store: FileRunStore.layer
}

/** Runs a command line in this process: its exit code and what it wrote. */
export const command = async (args: ReadonlyArray<string>, changes: Partial<SetupShape> = {}) => {
  const { written, layer } = screen()
  const services = Layer.mergeAll(layer, Layer.succeed(Setup, Setup.of({ ...setup, ...changes })), NodeServices.layer)
  const code = await Effect.runPromise(Cli.run(args).pipe(Effect.provide(services)))
  return { code, ...written }
}
