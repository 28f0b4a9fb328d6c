import type { Runner } from "../experiment/index.ts"
import * as RunView from "./RunView.ts"
import * as TimeLeft from "./TimeLeft.ts"
import * as Words from "./Words.ts"

/** What is known of an experiment that is being run. */
export interface TableProgress {
  readonly title: string
  readonly started: number
  readonly cells: number
  readonly kept: number
  /** Cells that were finished here. */
  readonly here: number
  /** Cells that were finished by other processes meanwhile. */
  readonly others: number
  readonly running: ReadonlyMap<string, RunView.RunView>
  readonly time: TimeLeft.TimeLeft
  /** Finished cells whose run diverged. */
  readonly diverged: number
}

/** Before anything is known but what is run. */
export const start = (title: string, now: number): TableProgress => ({
  title,
  started: now,
  cells: 0,
  kept: 0,
  here: 0,
  others: 0,
  running: new Map(),
  time: TimeLeft.start,
  diverged: 0
})

/** How a cell is called: its row and its seed. */
export const nameOf = ({ row, seed }: Runner.PlannedCell): string => `${row.label} · seed ${seed}`

const without = (running: TableProgress["running"], key: string) => new Map([...running].filter(([k]) => k !== key))

/** The state after an event. */
export const follow = (before: TableProgress, event: Runner.RunnerEvent, now: number): TableProgress => {
  const state = { ...before, time: TimeLeft.follow(before.time, event, now) }
  if (event._tag === "Planned") return { ...state, cells: event.cells, kept: event.kept }
  const { running } = state
  const { key } = event.cell
  const view = running.get(key)
  switch (event._tag) {
    case "CellElsewhere":
      return state
    case "CellStarted": {
      const view = RunView.start(nameOf(event.cell), now)
      return {
        ...state,
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
        diverged: state.diverged + (event.result.diverged === undefined ? 0 : 1),
        here: state.here + (view === undefined ? 0 : 1),
        others: state.others + (view === undefined ? 1 : 0)
      }
  }
}

const done = ({ kept, here, others }: TableProgress): number => kept + here + others

/** Cells nobody works on yet. */
const waiting = (state: TableProgress): number =>
  state.cells - done(state) - state.running.size - state.time.elsewhere.size

/** The parts of the line about the whole. */
export const total = (state: TableProgress, now: number): ReadonlyArray<string> => {
  const ahead = TimeLeft.left(state.time, now)
  return [
    state.title,
    `${done(state)}/${Words.counted(state.cells, "cell")} done`,
    ...(state.kept === 0 ? [] : [`${state.kept} of them kept from before`]),
    ...(state.diverged === 0 ? [] : [`${state.diverged} diverged`]),
    ...(state.running.size === 0 ? [] : [`${state.running.size} running`]),
    ...(state.time.elsewhere.size === 0 ? [] : [`${state.time.elsewhere.size} in another process`]),
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
