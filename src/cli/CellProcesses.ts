import { type ChildProcess, fork } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type { CellRun, Runner } from "../experiment/index.ts"
import { CellMessage } from "./CellMessage.ts"
import type { SetupShape } from "./Setup.ts"

/** A process that runs cells could not: something to correct, or the process is gone. */
export class CellProcessError extends Schema.TaggedError<CellProcessError>()("CellProcessError", {
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}

/** A process that runs one cell at a time, and what it says. */
interface CellProcess {
  readonly child: ChildProcess
  readonly said: Queue.Queue<CellMessage>
}

const decode = Schema.decodeUnknownSync(CellMessage)

const start = ({ module, nodeOptions }: NonNullable<SetupShape["program"]>, args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const said = yield* Queue.unbounded<CellMessage>()
      const child = fork(module, ["work", ...args], {
        execArgv: [...nodeOptions],
        serialization: "advanced",
        stdio: ["ignore", "ignore", "pipe", "ipc"]
      })
      let last = ""
      child.stderr?.on("data", (data) => (last = `${last}${String(data)}`.slice(-2000)))
      const gone = (how: string) => Queue.offerUnsafe(said, { _tag: "Gone", how: `${how}\n${last}`.trim() })
      child.on("message", (message) => Queue.offerUnsafe(said, decode(message)))
      child.on("error", (error) => gone(error.message))
      child.on("close", (code, signal) => gone(`it ended with ${signal ?? code}`))
      return { child, said } satisfies CellProcess
    }),
    // there is nothing in it that is worth waiting for
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** What a process says next that is not about progress. */
const answer = (
  from: CellProcess,
  emit: (event: CellRun.CellEvent) => Effect.Effect<void>
): Effect.Effect<Extract<CellMessage, { readonly _tag: "Ready" | "Finished" }>, CellProcessError> =>
  Effect.flatMap(Queue.take(from.said), (message) => {
    switch (message._tag) {
      case "Progress":
        return Effect.andThen(emit(message.event), answer(from, emit))
      case "Failed":
        return new CellProcessError({ reason: message.message })
      case "Gone":
        return new CellProcessError({
          reason: `a process that ran cells is gone: ${message.how}; with --jobs 1 cells are run in one process`
        })
      case "Died":
        return Effect.die(message.stack)
      case "Ready":
      case "Finished":
        return Effect.succeed(message)
    }
  })

const silently = () => Effect.void

/**
 * Runs cells in processes of their own, `jobs` of them: a native call takes the whole of a process. `args` is the command line of
 * the experiment, from which each process finds the cells by their keys.
 *
 * They end with the scope, and when this process ends.
 */
export const executor =
  (
    program: NonNullable<SetupShape["program"]>,
    args: ReadonlyArray<string>,
    jobs: number
  ): Runner.Executor<CellProcessError, never> =>
  (missing) =>
    Effect.gen(function* () {
      const idle = yield* Queue.unbounded<CellProcess>()
      const processes = yield* Effect.forEach(Array.from({ length: Math.min(jobs, missing) }), () =>
        start(program, args)
      )
      yield* Effect.forEach(
        processes,
        (each) =>
          Effect.andThen(
            answer(each, silently),
            Effect.sync(() => Queue.offerUnsafe(idle, each))
          ),
        { concurrency: "unbounded" }
      )
      return (cell, emit) =>
        Effect.gen(function* () {
          const each = yield* Queue.take(idle)
          each.child.send(cell.key)
          const said = yield* answer(each, emit)
          Queue.offerUnsafe(idle, each)
          if (said._tag === "Finished") return said.result
          return yield* new CellProcessError({ reason: `the process of ${cell.row.label} answered out of turn` })
        })
    })
