import { type ChildProcess, fork } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type { Runner } from "../experiment/index.ts"
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

/** A process that runs one group of cells at a time, and what it says. */
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
    end
  )

/** How long a process may take to keep what it has in hand. */
const patience = "1800 millis"

/** Ends a process: one that works is asked to keep what it has in hand, and given a moment for it. */
const end = ({ child }: CellProcess): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null || !child.connected) return resume(Effect.void)
    child.once("close", () => resume(Effect.void))
    child.send("stop", () => {})
  }).pipe(Effect.timeoutOption(patience), Effect.andThen(Effect.sync(() => void child.kill("SIGKILL"))))

/** What a process says next of its cells, or that it is ready for others. */
const next = (from: CellProcess) =>
  Effect.flatMap(Queue.take(from.said), (message) => {
    switch (message._tag) {
      case "Failed":
        return new CellProcessError({ reason: message.message })
      case "Gone":
        return new CellProcessError({
          reason: `a process that ran cells is gone: ${message.how}; with --jobs 1 cells are run in one process`
        })
      case "Died":
        return Effect.die(message.stack)
      case "Ready":
      case "Started":
      case "Elsewhere":
      case "Progress":
      case "Finished":
      case "Done":
        return Effect.succeed(message)
    }
  })

/** Has a process run a group. */
const run = <E>(
  process: CellProcess,
  group: Runner.Group,
  { tell, finish }: Runner.Listener<E>
): Effect.Effect<void, E | CellProcessError> =>
  Effect.gen(function* () {
    const cells = new Map(group.map((cell) => [cell.key, cell]))
    const of = (key: string) =>
      Effect.mapError(
        Effect.fromNullishOr(cells.get(key)),
        () => new CellProcessError({ reason: `a process answered for the cell ${key}, which it was not given` })
      )
    process.child.send([...cells.keys()])
    for (let said = yield* next(process); said._tag !== "Done"; said = yield* next(process)) {
      if (said._tag === "Started") {
        const { key, from } = said
        yield* tell({ _tag: "CellStarted", cell: yield* of(key), ...(from === undefined ? {} : { from }) })
      }
      if (said._tag === "Elsewhere") yield* tell({ _tag: "CellElsewhere", cell: yield* of(said.key) })
      if (said._tag === "Progress") yield* tell({ _tag: "CellProgress", cell: yield* of(said.key), event: said.event })
      if (said._tag === "Finished") yield* finish(yield* of(said.result.key), said.result)
    }
  })

/**
 * Runs groups of cells in processes of their own, `jobs` of them: a native call takes the whole of a process. `args` is the command line of
 * the experiments, from which each process finds the cells by their keys; they keep the cells themselves.
 *
 * They end with the scope, and when this process ends, keeping what they have in hand.
 */
export const executor =
  (
    program: NonNullable<SetupShape["program"]>,
    args: ReadonlyArray<string>,
    jobs: number
  ): Runner.Executor<CellProcessError, never> =>
  (groups) =>
    Effect.gen(function* () {
      const idle = yield* Queue.unbounded<CellProcess>()
      const processes = yield* Effect.forEach(Array.from({ length: Math.min(jobs, groups) }), () =>
        start(program, args)
      )
      yield* Effect.forEach(
        processes,
        (each) =>
          Effect.andThen(
            next(each),
            Effect.sync(() => Queue.offerUnsafe(idle, each))
          ),
        { concurrency: "unbounded" }
      )
      return (group, listener) =>
        Effect.gen(function* () {
          const free = yield* Queue.take(idle)
          yield* run(free, group, listener)
          Queue.offerUnsafe(idle, free)
        })
    })
