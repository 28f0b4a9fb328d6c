import type { Runner } from "../experiment/index.ts"
import * as RunView from "./RunView.ts"
import * as Words from "./Words.ts"

/** What is known of an experiment that is being run. */
export interface TableProgress {
  readonly title: string
  readonly started: number
  readonly cells: number
  readonly kept: number
  /** Cells that run at the same time. */
  readonly atOnce: number
  /** Seconds that each cell took that was finished here. */
  readonly took: ReadonlyArray<number>
  /** Cells that were finished by other processes meanwhile. */
  readonly others: number
  readonly running: ReadonlyMap<string, RunView.RunView>
  /** Cells that another process works on. */
  readonly elsewhere: ReadonlySet<string>
  /** Finished cells whose run diverged. */
  readonly diverged: number
}

/** Before anything is known but what is run. */
export const start = (title: string, now: number): TableProgress => ({
  title,
  started: now,
  cells: 0,
  kept: 0,
  atOnce: 1,
  took: [],
  others: 0,
  running: new Map(),
  elsewhere: new Set(),
  diverged: 0
})

/** How a cell is called: its row and its seed. */
export const nameOf = ({ row, seed }: Runner.PlannedCell): string => `${row.label} · seed ${seed}`

const without = (running: TableProgress["running"], key: string) => new Map([...running].filter(([k]) => k !== key))

/** The state after an event. */
export const follow = (state: TableProgress, event: Runner.RunnerEvent, now: number): TableProgress => {
  if (event._tag === "Planned") {
    const { cells, kept, atOnce } = event
    return { ...state, cells, kept, atOnce }
  }
  const { running } = state
  const { key } = event.cell
  const view = running.get(key)
  switch (event._tag) {
    case "CellElsewhere":
      return { ...state, elsewhere: new Set(state.elsewhere).add(key) }
    case "CellStarted": {
      const view = RunView.start(nameOf(event.cell), now)
      const elsewhere = new Set([...state.elsewhere].filter((other) => other !== key))
      return {
        ...state,
        elsewhere,
        running: new Map(running).set(key, event.from === undefined ? view : { ...view, from: event.from })
      }
    }
    case "CellProgress":
      return view === undefined
        ? state
        : { ...state, running: new Map(running).set(key, RunView.follow(view, event.event, now)) }
    case "CellFinished":
      return {
        ...state,
        running: without(running, key),
        elsewhere: new Set([...state.elsewhere].filter((other) => other !== key)),
        diverged: state.diverged + (event.result.diverged === undefined ? 0 : 1),
        took: [...state.took, ...(view === undefined ? [] : [(now - view.started) / 1000])],
        others: state.others + (view === undefined ? 1 : 0)
      }
  }
}

/** Seconds a cell takes: as the finished ones did, or as far as the running ones tell. */
const perCell = ({ took, running }: TableProgress, now: number): number | undefined => {
  if (took.length > 0) return took.reduce((sum, seconds) => sum + seconds, 0) / took.length
  const guesses = [...running.values()].flatMap((view) => {
    const ahead = RunView.left(view, now)
    return ahead === undefined ? [] : [(now - view.started) / 1000 + ahead]
  })
  return guesses.length === 0 ? undefined : Math.max(...guesses)
}

/** Seconds until the last cell is finished, about; `undefined` while nothing tells. */
export const left = (state: TableProgress, now: number): number | undefined => {
  const each = perCell(state, now)
  if (each === undefined) return undefined
  const views = [...state.running.values()]
  const ahead = views.map((view) => Math.max(0, each - (now - view.started) / 1000))
  const rest = waiting(state)
  if (rest + views.length === 0) return 0
  const shared =
    (rest * each + ahead.reduce((sum, seconds) => sum + seconds, 0)) / Math.min(state.atOnce, rest + views.length)
  // a cell that goes on for longer than the others did is not over before its last step
  return Math.max(shared, ...views.map((view) => RunView.left(view, now) ?? 0))
}

const done = ({ kept, took, others }: TableProgress): number => kept + took.length + others

/** Cells nobody works on yet. */
const waiting = (state: TableProgress): number => state.cells - done(state) - state.running.size - state.elsewhere.size

/** The parts of the line about the whole. */
export const total = (state: TableProgress, now: number): ReadonlyArray<string> => {
  const ahead = left(state, now)
  return [
    state.title,
    `${done(state)}/${Words.counted(state.cells, "cell")} done`,
    ...(state.kept === 0 ? [] : [`${state.kept} of them kept from before`]),
    ...(state.diverged === 0 ? [] : [`${state.diverged} diverged`]),
    ...(state.running.size === 0 ? [] : [`${state.running.size} running`]),
    ...(state.elsewhere.size === 0 ? [] : [`${state.elsewhere.size} in another process`]),
    ...(waiting(state) <= 0 ? [] : [`${waiting(state)} waiting`]),
    `${Words.duration((now - state.started) / 1000)} so far`,
    ...(ahead === undefined || ahead === 0 ? [] : [`about ${Words.duration(ahead)} left`])
  ]
}

/** The lines that are rewritten on a terminal: one a running cell, one about the whole. */
export const lines = (state: TableProgress, now: number, width: number): ReadonlyArray<string> => [
  ...[...state.running.values()].flatMap((view) => Words.flow(RunView.parts(view, now), width)),
  ...Words.flow(total(state, now), width)
]

/** The lasting line that an event deserves, if any; `state` is that after the event. */
export const line = (state: TableProgress, event: Runner.RunnerEvent, now: number): string | undefined => {
  switch (event._tag) {
    case "Planned": {
      const missing = event.cells - event.kept
      const kept = event.kept === 0 ? "" : `, ${event.kept} kept from before`
      const atOnce = missing === 0 ? "" : `; ${event.atOnce} at a time`
      return `${state.title}: ${Words.counted(event.cells, "cell")}${kept}${atOnce}`
    }
    case "CellFinished": {
      const { diverged, curve, provenance } = event.result
      const last = curve.at(-1)
      const end = diverged ?? (last === undefined ? "" : `discrepancy ${Words.short(last.discrepancy)}`)
      const [, ...rest] = total(state, now)
      return [`${nameOf(event.cell)}: ${Words.duration(provenance.seconds)}`, end, ...rest].join("  ")
    }
    case "CellElsewhere":
      return `${nameOf(event.cell)}: another process works on it`
    case "CellStarted":
      return event.from === undefined ? undefined : `${nameOf(event.cell)}: goes on from step ${event.from}`
    case "CellProgress":
      return undefined
  }
}
