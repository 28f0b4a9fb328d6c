import { CellWork, type Runner } from "../experiment/index.ts"

/** How much of a cell's work is done, and was already when it was begun here. */
interface Share {
  readonly done: number
  readonly before: number
}

/** What the time left is told from: the work of all cells, and how much of it was done here, since when. */
export interface TimeLeft {
  readonly groups: ReadonlyArray<ReadonlyArray<Runner.PlannedWork>>
  readonly works: ReadonlyMap<string, CellWork.CellWork>
  /** Groups that run at the same time. */
  readonly jobs: number
  readonly shares: ReadonlyMap<string, Share>
  /** Cells that another process works on. */
  readonly elsewhere: ReadonlySet<string>
  /** When the first cell was begun. */
  readonly began?: number
}

/** Before anything is known. */
export const start: TimeLeft = { groups: [], works: new Map(), jobs: 1, shares: new Map(), elsewhere: new Set() }

const without = (keys: ReadonlySet<string>, key: string) => new Set([...keys].filter((other) => other !== key))

/** The state after an event. */
export const follow = (state: TimeLeft, event: Runner.RunnerEvent, now: number): TimeLeft => {
  if (event._tag === "Planned") {
    const { groups, jobs } = event
    return { ...state, groups, jobs, works: new Map(groups.flat().map(({ key, work }) => [key, work])) }
  }
  const { key } = event.cell
  const work = state.works.get(key)
  if (work === undefined) return state
  const known = state.shares.get(key)
  const shared = (share: Share): TimeLeft => ({ ...state, shares: new Map(state.shares).set(key, share) })
  switch (event._tag) {
    case "CellElsewhere":
      return { ...state, elsewhere: new Set(state.elsewhere).add(key) }
    case "CellStarted": {
      const before = CellWork.done(work, event.from ?? 0)
      const elsewhere = without(state.elsewhere, key)
      return { ...shared({ done: before, before }), elsewhere, began: state.began ?? now }
    }
    case "CellProgress":
      return event.event._tag === "Distilled" && event.event.event._tag === "Stepped" && known !== undefined
        ? shared({ ...known, done: CellWork.done(work, event.event.event.step) })
        : state
    case "CellFinished": {
      // what was not done here, or not at all because the cell diverged, tells nothing of the pace
      const missed =
        known === undefined
          ? work.total
          : known.before + (event.result.diverged === undefined ? 0 : work.total - known.done)
      return { ...shared({ done: work.total, before: missed }), elsewhere: without(state.elsewhere, key) }
    }
  }
}

const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)

/**
 * Seconds until the last cell is finished at the pace so far, about; `undefined` while nothing tells. Cells of a group run in lock-step and
 * steps become cheaper as students shrink, so it is work that is compared, neither cells nor steps; a group is never over before its own work is.
 */
export const left = ({ groups, jobs, shares, elsewhere, began }: TimeLeft, now: number): number | undefined => {
  const ahead = groups.map((group) =>
    sum(group.map(({ key, work }) => (elsewhere.has(key) ? 0 : work.total - (shares.get(key)?.done ?? 0))))
  )
  const open = ahead.filter((work) => work > 0)
  if (groups.length > 0 && open.length === 0) return 0
  const worked = sum([...shares.values()].map(({ done, before }) => done - before))
  if (began === undefined || now <= began || worked <= 0) return undefined
  const pace = (1000 * worked) / (now - began) / Math.min(jobs, groups.length)
  return Math.max(...open, sum(open) / Math.min(jobs, open.length)) / pace
}
