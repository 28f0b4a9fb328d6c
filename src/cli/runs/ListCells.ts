import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { type Entry, KeptSpec, RunStore } from "../../experiment/index.ts"
import { Digest, type Json, Spec } from "../../spec/index.ts"
import { withExitCodes } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import { Screen } from "../Screen.ts"
import { Setup } from "../Setup.ts"
import * as Words from "../Words.ts"
import * as Columns from "./Columns.ts"

/** The components that tell cells apart, most telling first. */
const telling = ["student", "scorer", "ratio", "loss", "mode"] as const

type Components = ReturnType<typeof KeptSpec.components>

/** The components of each finished cell's plan; many cells of a store share few plans, and each object is read once. */
const plansOf = (entries: ReadonlyArray<Entry>): ReadonlyMap<string, Components> => {
  const known = new Map<Json | undefined, Components>()
  return new Map(
    entries.flatMap(({ key, cell }) => {
      if (cell === undefined) return []
      const { plan } = cell.spec
      const components = known.get(plan) ?? KeptSpec.components(cell.spec)
      known.set(plan, components)
      return [[key, components] as const]
    })
  )
}

/** What of the plans is the same in all cells, and what tells each of them apart. */
interface Told {
  readonly shared: ReadonlyArray<string>
  readonly each: ReadonlyMap<Components, ReadonlyArray<string>>
}

const tell = (plans: ReadonlySet<Components>): Told => {
  const each = new Map<Components, Array<string>>([...plans].map((plan) => [plan, []]))
  const shared = telling.flatMap((name) => {
    const specs = new Map([...plans].map((plan) => [JSON.stringify(plan[name] ?? null), plan[name]] as const))
    const known = [...specs].flatMap(([text, spec]) => (spec === undefined ? [] : [{ text, spec }]))
    const [only] = known
    if (only === undefined) return []
    if (specs.size === 1) return [`${name} ${Spec.describe(only.spec)}`]
    const briefs = KeptSpec.briefs(known.map(({ spec }) => spec))
    const brief = new Map(known.map(({ text }, i) => [text, briefs[i] ?? ""]))
    for (const [plan, texts] of each) texts.push(brief.get(JSON.stringify(plan[name] ?? null)) ?? "")
    return []
  })
  return { shared, each }
}

/** KL(teacher ‖ student) at the end, nats. */
const discrepancyOf = ({ cell }: Entry): number | undefined =>
  cell?.measures["curve.final"] ?? cell?.measures["heldOut.discrepancy"]

const number = (value: Json | undefined): string => (value === undefined ? "" : JSON.stringify(value))

const finishedOf = ({ cell }: Entry): string => cell?.provenance.finished ?? ""

const states = ["finished", "diverged", "running", "begun", "damaged"] as const

/** How many cells there are, and in which states. */
const summary = (entries: ReadonlyArray<Entry>): string => {
  const counts = states.map((state) => ({ state, count: entries.filter((entry) => entry.state === state).length }))
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  const parts = counts.flatMap(({ state, count }) => (count === 0 ? [] : [`${count} ${state}`]))
  return `${Words.counted(entries.length, "cell")}: ${parts.join(", ")}; ${Words.amount(bytes)} bytes`
}

/** The cells as lines: those that were finished first stand first, those that are not, last. */
export const render = (entries: ReadonlyArray<Entry>, folder: string): ReadonlyArray<string> => {
  if (entries.length === 0) return [`no cells in ${folder}; homodistil reproduce makes some`]
  const plans = plansOf(entries)
  const { shared, each } = tell(new Set(plans.values()))
  const order = entries.toSorted((a, b) => {
    const [ours, theirs] = [finishedOf(a), finishedOf(b)]
    if (ours === theirs) return a.key < b.key ? -1 : 1
    return ours !== "" && (theirs === "" || ours < theirs) ? -1 : 1
  })
  const rows = order.map((entry) => {
    const discrepancy = discrepancyOf(entry)
    const plan = plans.get(entry.key)
    return [
      Digest.short(entry.key),
      entry.state,
      number(entry.cell?.spec["seed"]),
      number(plan?.["training"]?.options["steps"]),
      discrepancy === undefined ? "" : Words.short(discrepancy),
      entry.cell === undefined ? "" : Words.duration(entry.cell.provenance.seconds),
      finishedOf(entry).slice(0, 16).replace("T", " "),
      plan === undefined ? "" : (each.get(plan) ?? []).join(" · ")
    ]
  })
  const right = "right" as const
  const columns = [
    { name: "key" },
    { name: "state" },
    { name: "seed", side: right },
    { name: "steps", side: right },
    { name: "discrepancy", side: right },
    { name: "time", side: right },
    { name: "finished (UTC)" },
    { name: "differs in" }
  ]
  const damaged = entries.some(({ state }) => state === "damaged")
  return [
    ...Columns.lines(columns, rows),
    summary(entries),
    ...(shared.length === 0 ? [] : Words.wrap(`in all of them: ${shared.join("; ")}`, 120)),
    ...(damaged ? [`homodistil runs verify --store ${folder} says what is damaged`] : [])
  ]
}

/** The cells as a JSON list, one a line. */
export const renderJson = (entries: ReadonlyArray<Entry>): string => {
  const lines = entries.map(({ key, state, bytes, cell }) => {
    if (cell === undefined) return JSON.stringify({ key, state, bytes })
    const { spec, measures, provenance } = cell
    return JSON.stringify({ key, state, bytes, spec, measures, provenance })
  })
  return `[\n${lines.join(",\n")}\n]`
}

/** `homodistil runs list`. */
export const command = Command.make(
  "list",
  {
    store: Flags.store,
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("everything but curves, as a JSON list"),
      Flag.withDefault(false)
    )
  },
  ({ store: folder, json }) =>
    Effect.gen(function* () {
      const { store } = yield* Setup
      const entries = yield* Effect.flatMap(RunStore, ({ list }) => list).pipe(Effect.provide(store(folder)))
      yield* (yield* Screen).out(`${json ? renderJson(entries) : render(entries, folder).join("\n")}\n`)
    })
).pipe(
  Command.withDescription(
    withExitCodes(
      "List the cells of a store: key, state, seed, steps, discrepancy at the end (nats), time it took, when it was finished, and " +
        "which components tell it apart from the others. A cell is finished, diverged, running, begun (it has a checkpoint, and nobody " +
        "works on it) or damaged."
    )
  ),
  Command.withShortDescription("List the cells"),
  Command.withExamples([
    { command: "homodistil runs list", description: "The cells under runs" },
    { command: "homodistil runs list --store other --json", description: "Those of another store, for a program" }
  ])
)
