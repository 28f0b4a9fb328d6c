import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import { type Damage, type Entry, RunStore } from "../../experiment/index.ts"
import { withExitCodes } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import { Screen } from "../Screen.ts"
import { Setup } from "../Setup.ts"
import * as Words from "../Words.ts"

/** A store holds damaged objects, which have been named. */
export class DamagedStore extends Schema.TaggedError<DamagedStore>()("DamagedStore", {
  store: Schema.String,
  damaged: Schema.Int
}) {
  override get message(): string {
    return `${this.store}: ${Words.counted(this.damaged, "object")} damaged; nothing of them is used until that is mended`
  }
}

/** A damaged object in one line. */
export const line = ({ object, reason, remedy }: Damage): string => `${object}: ${reason}; ${remedy}`

/** What is said of a store in which nothing is damaged. */
export const whole = (entries: ReadonlyArray<Entry>, folder: string): string => {
  const finished = entries.filter(({ cell }) => cell !== undefined).length
  const rest = entries.length - finished
  const unfinished = rest === 0 ? "" : ` (${finished} finished, ${rest} on the way)`
  return `${folder}: ${Words.counted(entries.length, "cell")} read to the last byte${unfinished}; all are whole`
}

/** `homodistil runs verify`. */
export const command = Command.make("verify", { store: Flags.store }, ({ store: folder }) =>
  Effect.gen(function* () {
    const { store } = yield* Setup
    const screen = yield* Screen
    const { damages, entries } = yield* Effect.gen(function* () {
      const { verify, list } = yield* RunStore
      return { damages: yield* verify, entries: yield* list }
    }).pipe(Effect.provide(store(folder)))
    if (damages.length === 0) return yield* screen.out(`${whole(entries, folder)}\n`)
    yield* screen.out(damages.map((damage) => `${line(damage)}\n`).join(""))
    return yield* new DamagedStore({ store: folder, damaged: damages.length })
  })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Read every object of a store to its last byte and compare it with its digest. Damaged ones are named, each with the reason and " +
        "what to do, and the exit code is 1."
    )
  ),
  Command.withShortDescription("Find damaged objects"),
  Command.withExamples([{ command: "homodistil runs verify", description: "Whether all under runs is whole" }])
)
