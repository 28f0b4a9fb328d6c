import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import { CellDiff, KeptSpec, RunStore } from "../../experiment/index.ts"
import { Numeral } from "../../report/index.ts"
import { Digest, type Json } from "../../spec/index.ts"
import { withExitCodes } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import { Screen } from "../Screen.ts"
import { Setup } from "../Setup.ts"
import * as Columns from "./Columns.ts"
import * as Keys from "./Keys.ts"
import { precise } from "./ShowCell.ts"

const nothing = "–"
const names = (unnamed: number) => Array.from({ length: unnamed }, () => ({ name: "" }))

const valueOf = (value: Json | undefined): string => (value === undefined ? nothing : KeptSpec.text(value))
const numberOf = (value: number | undefined): string => (value === undefined ? nothing : precise(value))

const signed = (value: number | undefined): string => {
  if (value === undefined) return ""
  const size = Math.abs(value)
  const text = size < 1e-4 || size >= 1e6 ? size.toExponential(2) : String(Number(size.toPrecision(4)))
  return value < 0 ? `−${text}` : `+${text}`
}

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)]

const values = (differences: ReadonlyArray<CellDiff.Difference>): ReadonlyArray<string> =>
  Columns.lines(
    names(2),
    differences.map(({ path, left, right }) => [path, `${valueOf(left)} → ${valueOf(right)}`])
  )

/** What differs between two cells as lines; what is equal is left out, where they came from is last. */
export const render = (a: string, b: string, diff: CellDiff.CellDiff): ReadonlyArray<string> => {
  const measures = diff.measures.map(({ measure, left, right, difference }) => [
    measure,
    `${numberOf(left)} → ${numberOf(right)}`,
    signed(difference)
  ])
  const steps = diff.steps.map(({ of, from }) => [of, `differs from step ${Numeral.plain(from)} on`])
  const sections = [
    ...section("spec", values(diff.spec)),
    ...section("run", values(diff.diverged)),
    ...section("measures", Columns.lines(names(3), measures)),
    ...section("on the way", Columns.lines(names(2), steps)),
    ...section("provenance", values(diff.provenance))
  ]
  const pair = `${Digest.short(a)} → ${Digest.short(b)}`
  return sections.length === 0 ? [`${pair}: nothing differs`] : [pair, ...sections]
}

/** `homodistil runs diff`. */
export const command = Command.make(
  "diff",
  { a: Keys.cell("a"), b: Keys.cell("b"), store: Flags.store },
  ({ a, b, store: folder }) =>
    Effect.gen(function* () {
      const { store } = yield* Setup
      const lines = yield* Effect.gen(function* () {
        const entries = yield* (yield* RunStore).list
        const found = [...(yield* Keys.findAll(entries, [a, b], "KEY", folder))]
        const cells = yield* Effect.forEach(found, (entry) => Keys.finished(entry, "KEY"))
        const left = yield* Effect.orDie(Effect.fromNullishOr(cells[0]))
        // both may be the same cell
        const right = cells[1] ?? left
        return render(left.key, right.key, CellDiff.of(left, right))
      }).pipe(Effect.provide(store(folder)))
      yield* (yield* Screen).out(`${lines.join("\n")}\n`)
    })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Say what differs between two finished cells: each option of their specs by its path with both values, each measure with both " +
        "values and the difference, and last where they came from. What is equal is left out."
    )
  ),
  Command.withShortDescription("Say what differs between two cells"),
  Command.withExamples([
    { command: "homodistil runs diff 04d0 096d", description: "From the cell that begins with 04d0 to that with 096d" }
  ])
)
