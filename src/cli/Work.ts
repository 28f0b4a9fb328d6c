import process from "node:process"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Command from "effect/cli/Command"
import { Runner } from "../experiment/index.ts"
import { ConfigError } from "../spec/index.ts"
import { type CellMessage, isTold } from "./CellMessage.ts"
import * as Failure from "./Failure.ts"
import * as ReproduceSettings from "./ReproduceSettings.ts"
import { Setup } from "./Setup.ts"

/** Says something to the process that started this one. */
const say = (message: CellMessage): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (process.send === undefined || !process.connected) return resume(Effect.void)
    process.send(message, () => resume(Effect.void))
  })

/** The keys of cells to run, as they come; nobody waits for this process once the other one is gone. */
const keys = Effect.gen(function* () {
  const queue = yield* Queue.unbounded<string>()
  process.on("message", (key) => Queue.offerUnsafe(queue, String(key)))
  process.on("disconnect", () => process.exit(Failure.exitCodes.done))
  return queue
})

const byHand = new ConfigError({
  problems: [
    { key: "work", value: "a command", bound: "started by reproduce", remedy: "use homodistil reproduce with --jobs" }
  ]
})

const outcome = (exit: Exit.Exit<CellMessage, unknown>): CellMessage => {
  if (Exit.isSuccess(exit)) return exit.value
  const { text, code } = Failure.report(exit.cause)
  return code === Failure.exitCodes.bug
    ? { _tag: "Died", stack: Cause.pretty(exit.cause) }
    : { _tag: "Failed", message: text }
}

/** Runs the cells whose keys another process sends, one after the other: what `reproduce` starts one of for each job. */
export const command = Command.make("work", ReproduceSettings.flags, (o) =>
  Effect.gen(function* () {
    if (process.send === undefined) return yield* byHand
    const queue = yield* keys
    const { experiment, scale, seeds, materials, backend } = yield* ReproduceSettings.resolve(o)
    const { machine } = yield* Setup
    const cells = yield* Runner.plan({ experiment, scale, seeds, materials })
    return yield* Effect.gen(function* () {
      const execute = yield* Runner.here({ materials, scale, machine })(cells.length)
      yield* say({ _tag: "Ready" })
      const run = (key: string): Effect.Effect<CellMessage, unknown> => {
        const cell = cells.find((each) => each.key === key)
        const changed: CellMessage = { _tag: "Failed", message: "the experiment changed while it was run; start again" }
        return cell === undefined
          ? Effect.succeed(changed)
          : Effect.map(
              execute(cell, (event) => (isTold(event) ? say({ _tag: "Progress", event }) : Effect.void)),
              (result): CellMessage => ({ _tag: "Finished", result })
            )
      }
      return yield* Queue.take(queue).pipe(
        Effect.flatMap((key) => Effect.exit(run(key))),
        Effect.flatMap((exit) => say(outcome(exit))),
        Effect.forever
      )
    }).pipe(Effect.scoped, Effect.provide(backend.layer))
  }).pipe(
    // what goes wrong before the first cell is said where it is read
    Effect.onError((cause) => say(outcome(Exit.failCause(cause))))
  )
).pipe(Command.withDescription("Run cells for another process; reproduce starts it by itself."), Command.unlisted)
