import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import process from "node:process"

/** Where text is shown: results on standard output, all else on standard error. */
export interface ScreenShape {
  /** Writes to standard output. */
  readonly out: (text: string) => Effect.Effect<void>
  /** Writes to standard error. */
  readonly error: (text: string) => Effect.Effect<void>
  /** Whether standard error is a terminal, on which lines can be rewritten. */
  readonly live: boolean
  /** Whether colour is wanted there. */
  readonly color: boolean
  /** Columns of the terminal. */
  readonly columns: Effect.Effect<number>
}

/** Where text is shown. */
export class Screen extends Context.Service<Screen, ScreenShape>()("homodistil/Screen") {}

const write = (stream: NodeJS.WriteStream) => (text: string) =>
  Effect.callback<void>((resume) => {
    stream.write(text, () => resume(Effect.void))
  })

/** The process's own streams; `NO_COLOR` and `TERM=dumb` are respected. */
export const layer: Layer.Layer<Screen> = Layer.sync(Screen, () => {
  const { stdout, stderr, env } = process
  const plain = env["TERM"] === "dumb"
  // a reader that has gone away (`| head`) is no error of ours
  for (const stream of [stdout, stderr]) stream.on("error", () => {})
  return Screen.of({
    out: write(stdout),
    error: write(stderr),
    live: stderr.isTTY && !plain,
    color: stderr.isTTY && !plain && (env["NO_COLOR"] ?? "") === "",
    columns: Effect.sync(() => stderr.columns || 80)
  })
})
