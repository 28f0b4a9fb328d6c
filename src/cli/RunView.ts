import type { Widths } from "../distill/index.ts"
import type { CellEvent } from "../experiment/index.ts"
import * as Words from "./Words.ts"

/** What is known of a run in progress; times in milliseconds of the clock. */
export interface RunView {
  readonly label: string
  readonly started: number
  /** The step it goes on from, where it was begun before. */
  readonly from?: number
  /** Steps done, and of how many; 0 until they are known. */
  readonly step: number
  readonly steps: number
  /** When the first step began. */
  readonly stepping?: number
  /** The loss that is differentiated, and its terms before weighting. */
  readonly loss?: number
  readonly terms: { readonly [term: string]: number }
  readonly widths: Widths
  readonly parameters?: number
  /** KL(teacher ‖ student) when it was last measured, nats; or another distance, by its name. */
  readonly discrepancy?: number
  readonly distance?: string
  /** What is done besides training. */
  readonly doing?: string
}

/** A run that starts. */
export const start = (label: string, now: number, steps = 0): RunView => ({
  label,
  started: now,
  step: 0,
  steps,
  terms: {},
  widths: {}
})

/** The view after an event of its run. */
export const follow = (view: RunView, event: CellEvent, now: number): RunView => {
  if (event._tag === "Measuring") return { ...view, doing: `measuring ${event.measure}` }
  if (event._tag === "CurvePoint") {
    const { discrepancy, parameters } = event.point
    return { ...view, discrepancy, parameters }
  }
  const { event: inner } = event
  switch (inner._tag) {
    case "Started":
      return { ...view, steps: inner.steps, widths: inner.widths, parameters: inner.parameters, stepping: now }
    case "Pruned":
      return { ...view, widths: inner.widths, parameters: inner.parameters }
    case "Stepped":
      return { ...view, step: inner.step, loss: inner.total, terms: inner.terms }
    case "Snapshot":
      return view
  }
}

/** Steps a second since the first; 0 until there is a step. */
export const rate = ({ step, from = 0, stepping }: RunView, now: number): number =>
  stepping === undefined || now <= stepping ? 0 : Math.max(0, 1000 * (step - from)) / (now - stepping)

/** Seconds until the last step; `undefined` until there is a step. */
export const left = (view: RunView, now: number): number | undefined => {
  const speed = rate(view, now)
  return speed === 0 ? undefined : (view.steps - view.step) / speed
}

/** `hidden 45, ffn 180`: the widths of the kinds of axes asked for, a range where layers differ. */
export const widths = (all: Widths, kinds: ReadonlyArray<string> = ["hidden", "ffn"]): string =>
  kinds
    .flatMap((kind) => {
      const sizes = Object.entries(all).flatMap(([axis, size]) => (axis.split(".").at(-1) === kind ? [size] : []))
      if (sizes.length === 0) return []
      const [low, high] = [Math.min(...sizes), Math.max(...sizes)]
      return [`${kind} ${low === high ? low : `${low}-${high}`}`]
    })
    .join(", ")

/** The parts of the line about a run, most important first. */
export const parts = (view: RunView, now: number): ReadonlyArray<string> => {
  const { label, step, steps, loss, terms, discrepancy, parameters, doing } = view
  if (steps === 0) return [label, "starting"]
  const ahead = left(view, now)
  const inner = Object.entries(terms).map(([term, value]) => `${term} ${Words.short(value)}`)
  return [
    label,
    `${Math.max(step, view.from ?? 0)}/${steps}`,
    ...(doing === undefined
      ? [
          ...(step === 0 ? [] : [`${Words.short(rate(view, now))} steps/s`]),
          ...(ahead === undefined ? [] : [`${Words.duration(ahead)} left`])
        ]
      : [doing]),
    ...(loss === undefined ? [] : [`loss ${Words.short(loss)}${inner.length === 0 ? "" : ` (${inner.join(", ")})`}`]),
    ...(discrepancy === undefined ? [] : [`${view.distance ?? "discrepancy"} ${Words.short(discrepancy)}`]),
    ...(Object.keys(view.widths).length === 0 ? [] : [widths(view.widths)]),
    ...(parameters === undefined ? [] : [`${Words.amount(parameters)} parameters`])
  ]
}
