import * as Schema from "effect/Schema"

const Event = Schema.Struct({
  cat: Schema.optionalKey(Schema.String),
  name: Schema.optionalKey(Schema.String),
  dur: Schema.optionalKey(Schema.Finite),
  args: Schema.optionalKey(Schema.Struct({ op_name: Schema.optionalKey(Schema.String) }))
})

/** One entry of a trace of ONNX Runtime; durations in microseconds. */
export type Event = typeof Event.Type

/** What the nodes of one kernel take. */
export interface KernelTime {
  readonly kernel: string
  readonly msPerRun: number
  /** Of the time in all kernels. */
  readonly share: number
  readonly nodesPerRun: number
}

/** A profile: kernels, the slowest first, over so many runs. */
export interface Profile {
  readonly runs: number
  /** Milliseconds of a run as the runtime sees it, the time between kernels included. */
  readonly runMs: number
  readonly kernels: ReadonlyArray<KernelTime>
}

/** The events of a trace's JSON. */
export const readTrace = Schema.decodeSync(Schema.fromJsonString(Schema.Array(Event)))

const isKernel = ({ cat, name }: Event): boolean => cat === "Node" && name?.endsWith("_kernel_time") === true
const isRun = ({ cat, name }: Event): boolean => cat === "Session" && name === "model_run"

/**
 * Time by kernel, summed over a trace's nodes; the first `skip` runs are left out, since they find the caches cold.
 *
 * The trace of a session that never ran gives an empty profile.
 */
export const byKernel = (events: ReadonlyArray<Event>, skip = 0): Profile => {
  // a run's own entry follows those of its nodes
  const ends = events.flatMap((event, i) => (isRun(event) ? [i] : []))
  const first = skip === 0 ? 0 : (ends[skip - 1] ?? events.length) + 1
  const counted = events.slice(first, (ends.at(-1) ?? -1) + 1)
  const runs = counted.filter(isRun)
  const totals = new Map<string, { us: number; nodes: number }>()
  for (const event of counted.filter(isKernel)) {
    const kernel = event.args?.op_name ?? "?"
    const { us, nodes } = totals.get(kernel) ?? { us: 0, nodes: 0 }
    totals.set(kernel, { us: us + (event.dur ?? 0), nodes: nodes + 1 })
  }
  const all = [...totals.values()].reduce((sum, { us }) => sum + us, 0)
  const kernels = [...totals]
    .map(([kernel, { us, nodes }]) => ({
      kernel,
      msPerRun: us / 1000 / runs.length,
      share: us / all,
      nodesPerRun: nodes / runs.length
    }))
    .sort((a, b) => b.msPerRun - a.msPerRun)
  const runMs = runs.reduce((sum, { dur }) => sum + (dur ?? 0), 0) / 1000 / Math.max(1, runs.length)
  return { runs: runs.length, runMs, kernels }
}
