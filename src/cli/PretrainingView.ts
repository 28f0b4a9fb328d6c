import type { Pretraining } from "../distill/index.ts"
import type { HeldOut } from "../evaluate/index.ts"
import * as Words from "./Words.ts"

/** What held-out batches said of the model after so many steps. */
export interface HeldOutEvent {
  readonly _tag: "HeldOut"
  readonly step: number
  readonly measures: HeldOut.HeldOutMeasures
}

/** What is known of a pre-training in progress; times in milliseconds of the clock. */
export interface PretrainingView {
  readonly steps: number
  readonly started: number
  /** Steps done. */
  readonly step: number
  readonly phase?: "causal" | "masked"
  /** The loss, smoothed over about the last fifty steps. */
  readonly loss?: number
  readonly heldOut?: HeldOut.HeldOutMeasures
}

/** Before the first step. */
export const start = (steps: number, now: number): PretrainingView => ({ steps, started: now, step: 0 })

const smoothing = 0.02

/** The view after an event. */
export const follow = (view: PretrainingView, event: Pretraining.PretrainingEvent | HeldOutEvent): PretrainingView => {
  switch (event._tag) {
    case "HeldOut":
      return { ...view, heldOut: event.measures }
    case "Snapshot":
      return view
    case "Step": {
      // the two phases' losses are of different tasks
      const before = view.phase === event.phase ? view.loss : undefined
      const loss = before === undefined ? event.loss : before + smoothing * (event.loss - before)
      return { ...view, step: event.step + 1, phase: event.phase, loss }
    }
  }
}

/** The parts of the line about it. */
export const parts = (view: PretrainingView, now: number): ReadonlyArray<string> => {
  const { step, steps, phase, loss, heldOut } = view
  const seconds = (now - view.started) / 1000
  const rate = seconds > 0 ? step / seconds : 0
  return [
    "pretraining",
    `${step}/${steps}`,
    ...(phase === undefined ? ["starting"] : [phase]),
    ...(loss === undefined ? [] : [`loss ${Words.short(loss)}`]),
    ...(heldOut === undefined
      ? []
      : [`held-out loss ${Words.short(heldOut.loss)}, accuracy ${(100 * heldOut.accuracy).toFixed(1)} %`]),
    ...(rate === 0 ? [] : [`${Words.short(rate)} steps/s`, `${Words.duration((steps - step) / rate)} left`])
  ]
}
