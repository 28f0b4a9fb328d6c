import process from "node:process"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import { Runner } from "../experiment/index.ts"
import { ConfigError } from "../spec/index.ts"
import { type CellMessage, isTold, Order } from "./CellMessage.ts"
import * as Failure from "./Failure.ts"
import * as ReproduceSettings from "./ReproduceSettings.ts"
import { Setup } from "./Setup.ts"

/** Says something to the process that started this one. */
const say = (message: CellMessage): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (process.send === undefined || !process.connected) return resume(Effect.void)
    process.send(message, () => resume(Effect.void))
  })

const decode = Schema.decodeUnknownSync(Order)

/** The keys of groups of cells to run, as they come, and the word to stop, which the end of the other process is too. */
const orders = Effect.gen(function* () {
  const queue = yield* Queue.unbounded<ReadonlyArray<string>>()
  const stop = yield* Deferred.make<void>()
  const halt = () => Deferred.doneUnsafe(stop, Effect.void)
  process.on("message", (message) => {
    const order = decode(message)
    if (order === "stop") halt()
    else Queue.offerUnsafe(queue, order)
  })
  process.on("disconnect", halt)
  return { queue, stop }
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

/** Runs the groups of cells whose keys another process sends, one after the other: what `reproduce` starts one of for each job. */
export const command = Command.make("work", ReproduceSettings.flags, (o) =>
  Effect.gen(function* () {
    if (process.send === undefined) return yield* byHand
    const { queue, stop } = yield* orders
    const { experiments, scale, materials, backend, ...rest } = yield* ReproduceSettings.resolve(o)
    const setup = yield* Setup
    const machine = yield* setup.machine
    const { cells } = yield* Runner.planAll({ experiments, scale, materials })
    const work = Effect.gen(function* () {
      const execute = yield* Runner.here({ materials, scale, machine, ...rest })(cells.length)
      yield* say({ _tag: "Ready" })
      const run = (keys: ReadonlyArray<string>): Effect.Effect<CellMessage, unknown> => {
        const group = cells.filter(({ key }) => keys.includes(key))
        const changed: CellMessage = { _tag: "Failed", message: "the experiment changed while it was run; start again" }
        if (!Arr.isReadonlyArrayNonEmpty(group) || group.length !== keys.length) return Effect.succeed(changed)
        const tell = (news: Runner.CellNews): Effect.Effect<void> => {
          const { key } = news.cell
          switch (news._tag) {
            case "CellStarted":
              return say({ _tag: "Started", key, ...(news.from === undefined ? {} : { from: news.from }) })
            case "CellElsewhere":
              return say({ _tag: "Elsewhere", key })
            case "CellProgress":
              return isTold(news.event) ? say({ _tag: "Progress", key, event: news.event }) : Effect.void
          }
        }
        return execute(group, { tell, finish: (_, result) => say({ _tag: "Finished", result }) }).pipe(
          Effect.as<CellMessage>({ _tag: "Done" })
        )
      }
      return yield* Queue.take(queue).pipe(
        Effect.flatMap((keys) => Effect.exit(run(keys))),
        Effect.flatMap((exit) => say(outcome(exit))),
        Effect.forever
      )
    }).pipe(Effect.scoped, Effect.provide([backend.layer, setup.store(o.store)]))
    // the work is interrupted then, and keeps what it has in hand
    return yield* Effect.raceFirst(work, Deferred.await(stop))
  }).pipe(
    // what goes wrong before the first cell is said where it is read
    Effect.onError((cause) => say(outcome(Exit.failCause(cause))))
  )
).pipe(Command.withDescription("Run cells for another process; reproduce starts it by itself."), Command.unlisted)
