import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Schema from "effect/Schema"
import { cache } from "./Materials.ts"
import * as Side from "./Side.ts"
import { median } from "./Spread.ts"

const Choice = Schema.Struct({ variant: Schema.String, times: Schema.Record(Schema.String, Schema.String) })

/** The fastest of PyTorch's variants, and what each one took. */
export type Choice = typeof Choice.Type

const file = join(cache, "variants.json")
const Known = Schema.fromJsonString(Schema.Record(Schema.String, Choice))

const known = (): { readonly [key: string]: Choice } =>
  existsSync(file) ? Schema.decodeSync(Known)(readFileSync(file, "utf8")) : {}

const remember = (key: string, choice: Choice): void => {
  mkdirSync(cache, { recursive: true })
  writeFileSync(file, `${JSON.stringify({ ...known(), [key]: choice }, undefined, 1)}\n`)
}

/** What a choice is made from. */
export interface Trial {
  /** The machine, PyTorch and the job, under which a choice is remembered. */
  readonly key: string
  readonly folder: string
  readonly threads: number
  readonly variants: ReadonlyArray<string>
  readonly what: string
  /** Seconds that compiling may take; 0 leaves such variants out. */
  readonly compile: number
  readonly again: boolean
}

/** Seconds that a variant's first step may take where nothing is compiled. */
const patience = 300

const time = async ({ folder, threads, what, compile }: Trial, variant: string): Promise<number | string> => {
  const side = Side.peer(folder, variant, threads)
  try {
    await side.ask({ what, steps: 1 }, variant.includes("compile") ? compile : patience)
    // twice, since compiled steps may be compiled again when they see gradients for the first time
    await side.ask({ what, steps: 2 }, patience)
    const { ms } = await side.ask({ what, steps: 6 }, patience)
    return median(ms.slice(1))
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "failed") : String(error)
  } finally {
    await side.close()
  }
}

/** Times each variant in a process of its own and takes the fastest; the choice is remembered. */
export const choose = async (trial: Trial, say: (line: string) => void): Promise<Choice> => {
  const variants = trial.variants.filter((variant) => trial.compile > 0 || !variant.includes("compile"))
  const [only] = variants
  if (only !== undefined && variants.length === 1) return { variant: only, times: {} }
  const kept = trial.again ? undefined : known()[trial.key]
  if (kept !== undefined && variants.every((variant) => variant in kept.times)) return kept
  const times = new Map<string, number | string>()
  for (const variant of variants) {
    say(`   PyTorch, ${variant} ...`)
    times.set(variant, await time(trial, variant))
  }
  const [best] = [...times]
    .flatMap(([variant, ms]) => (typeof ms === "number" ? [{ variant, ms }] : []))
    .sort((a, b) => a.ms - b.ms)
  if (best === undefined) throw new Side.SideError([...times.values()].join("\n"))
  const shown = [...times].map(
    ([variant, ms]) => [variant, typeof ms === "number" ? `${ms.toFixed(1)} ms` : ms] as const
  )
  const choice = { variant: best.variant, times: Object.fromEntries(shown) }
  remember(trial.key, choice)
  return choice
}

/** A choice in a table: the winner, and in the note what the others took. */
export const describe = ({ times }: Choice): string =>
  Object.entries(times)
    .map(([variant, ms]) => `${variant} ${ms}`)
    .join(", ")
