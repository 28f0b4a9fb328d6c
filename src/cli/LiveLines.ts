import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import { Screen } from "./Screen.ts"

/** Lines on standard error that are rewritten in place, and lasting ones above them. */
export interface LiveLines {
  /** Whether lines are rewritten; where not, only lasting lines are shown. */
  readonly live: boolean
  /** Shows these lines in place of the last ones, at most ten times a second. */
  readonly show: (lines: (width: number, now: number) => ReadonlyArray<string>) => Effect.Effect<void>
  /** Shows a line that stays. */
  readonly say: (line: string) => Effect.Effect<void>
}

const milliseconds = 100

/** What is on the screen: how many live lines, and since when. */
interface Shown {
  readonly count: number
  readonly at: number
}

/** The text that clears so many lines above the cursor. */
export const clear = (count: number): string => (count === 0 ? "" : `\u001b[${count}A\r\u001b[0J`)

/** Live lines until the scope closes; nothing is shown when `quiet`. */
export const make = (quiet: boolean): Effect.Effect<LiveLines, never, Screen | Scope.Scope> =>
  Effect.gen(function* () {
    const screen = yield* Screen
    if (quiet) return { live: false, show: () => Effect.void, say: () => Effect.void }
    if (!screen.live) return { live: false, show: () => Effect.void, say: (line) => screen.error(`${line}\n`) }
    const shown = yield* Ref.make<Shown>({ count: 0, at: -milliseconds })
    const dim = (line: string) => (screen.color ? `\u001b[2m${line}\u001b[0m` : line)
    const wipe = Effect.flatMap(Ref.getAndSet(shown, { count: 0, at: -milliseconds }), ({ count }) =>
      count === 0 ? Effect.void : screen.error(clear(count))
    )
    yield* Effect.addFinalizer(() => wipe)
    return {
      live: true,
      show: (lines) =>
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const { at } = yield* Ref.get(shown)
          if (now - at < milliseconds) return
          const text = lines((yield* screen.columns) - 1, now)
          const { count } = yield* Ref.getAndSet(shown, { count: text.length, at: now })
          yield* screen.error(`${clear(count)}${text.map((line) => `${dim(line)}\n`).join("")}`)
        }),
      say: (line) => Effect.andThen(wipe, screen.error(`${line}\n`))
    }
  })
