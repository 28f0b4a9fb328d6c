import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import type { Pretraining } from "../distill/index.ts"
import type { TextGrid } from "../evaluate/index.ts"
import type { CellEvent, Runner } from "../experiment/index.ts"
import * as FineTuningView from "./FineTuningView.ts"
import * as LiveLines from "./LiveLines.ts"
import * as PretrainingView from "./PretrainingView.ts"
import * as RunView from "./RunView.ts"
import type { Screen } from "./Screen.ts"
import * as TableProgress from "./TableProgress.ts"
import * as Words from "./Words.ts"

/** How a stream of events becomes lines; pure. */
interface View<State, Event> {
  readonly start: (now: number) => State
  readonly follow: (state: State, event: Event, now: number) => State
  /** The lines that are rewritten on a terminal. */
  readonly lines: (state: State, now: number, width: number) => ReadonlyArray<string>
  /** A lasting line, for any kind of output. */
  readonly line: (state: State, event: Event, now: number) => string | undefined
  /** A line for output that cannot be rewritten, and whom it is about; no more than one of each every few seconds. */
  readonly plain: (state: State, event: Event, now: number) => Plain | undefined
}

interface Plain {
  readonly about: string
  readonly line: string
}

const patience = 5_000

const show = <State, Event>(
  view: View<State, Event>,
  quiet: boolean
): Effect.Effect<(event: Event) => Effect.Effect<void>, never, Screen | Scope.Scope> =>
  Effect.gen(function* () {
    const live = yield* LiveLines.make(quiet)
    const state = yield* Ref.make(view.start(yield* Clock.currentTimeMillis))
    const said = yield* Ref.make<ReadonlyMap<string, number>>(new Map())
    /** Says a plain line unless one was said of the same not long ago. */
    const atTimes = ({ about, line }: Plain, now: number) =>
      Effect.gen(function* () {
        const last = (yield* Ref.get(said)).get(about)
        if (last !== undefined && now - last < patience) return
        yield* Ref.update(said, (map) => new Map(map).set(about, now))
        yield* live.say(line)
      })
    return (event) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const after = yield* Ref.updateAndGet(state, (before) => view.follow(before, event, now))
        const lasting = view.line(after, event, now)
        if (lasting !== undefined) yield* live.say(lasting)
        if (live.live) return yield* live.show((width, at) => view.lines(after, at, width))
        const plain = view.plain(after, event, now)
        if (plain !== undefined) yield* atTimes(plain, now)
      })
  })

/** Whether an event of a run is worth a plain line. */
const isNews = (event: CellEvent): boolean =>
  event._tag === "CurvePoint" || event._tag === "Measuring" || event.event._tag === "Pruned"

/** Shows the progress of an experiment: one live line a running cell and one about the whole, or plain lines. */
export const table = (title: string, quiet: boolean) =>
  show<TableProgress.TableProgress, Runner.RunnerEvent>(
    {
      start: (now) => TableProgress.start(title, now),
      follow: TableProgress.follow,
      lines: TableProgress.lines,
      line: TableProgress.line,
      plain: (state, event, now) => {
        if (event._tag !== "CellStarted" && event._tag !== "CellProgress") return undefined
        const view = state.running.get(event.cell.key)
        if (view === undefined || (event._tag === "CellProgress" && !isNews(event.event))) return undefined
        return { about: event.cell.key, line: RunView.parts(view, now).join("  ") }
      }
    },
    quiet
  )

/** Shows the progress of a single run, and what is known of it before it starts. */
export const run = (label: string, quiet: boolean, known: Pick<RunView.RunView, "from" | "distance"> = {}) =>
  show<RunView.RunView, CellEvent>(
    {
      start: (now) => ({ ...RunView.start(label, now), ...known }),
      follow: RunView.follow,
      lines: (view, now, width) => Words.flow(RunView.parts(view, now), width),
      line: () => undefined,
      plain: (view, event, now) =>
        isNews(event) ? { about: label, line: RunView.parts(view, now).join("  ") } : undefined
    },
    quiet
  )

/** Shows the progress of a pre-training. */
export const pretraining = (steps: number, quiet: boolean) =>
  show<PretrainingView.PretrainingView, Pretraining.PretrainingEvent | PretrainingView.HeldOutEvent>(
    {
      start: (now) => PretrainingView.start(steps, now),
      follow: PretrainingView.follow,
      lines: (view, now, width) => Words.flow(PretrainingView.parts(view, now), width),
      line: (view, event, now) => (event._tag === "HeldOut" ? PretrainingView.parts(view, now).join("  ") : undefined),
      plain: (view, event, now) =>
        event._tag === "Step" ? { about: "step", line: PretrainingView.parts(view, now).join("  ") } : undefined
    },
    quiet
  )

/** Shows the progress of a fine-tuning with one or more settings. */
export const fineTuning = (trials: ReadonlyArray<TextGrid.TextTrial>, quiet: boolean) =>
  show<FineTuningView.FineTuningView, TextGrid.TextGridEvent>(
    {
      start: (now) => FineTuningView.start(trials, now),
      follow: FineTuningView.follow,
      lines: (view, now, width) => Words.flow(FineTuningView.parts(view, now), width),
      line: (view, event, now) => (event._tag === "Evaluated" ? FineTuningView.parts(view, now).join("  ") : undefined),
      plain: (view, event, now) =>
        event._tag === "Stepped" ? { about: "step", line: FineTuningView.parts(view, now).join("  ") } : undefined
    },
    quiet
  )
