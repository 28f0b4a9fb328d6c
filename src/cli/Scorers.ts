import * as Effect from "effect/Effect"
import * as Scorer from "../importance/index.ts"
import { ConfigError } from "../spec/index.ts"
import * as Settings from "./Settings.ts"

/** What a scorer can be told on a command line; PLATON's ΔT, β₁ and β₂. */
export interface ScorerSettings {
  readonly window?: number
  readonly beta1?: number
  readonly beta2?: number
}

interface Named {
  readonly takes: ReadonlyArray<keyof ScorerSettings>
  readonly make: (settings: ScorerSettings) => Scorer.ImportanceScorer
}

/** The scorers by the names they have on a command line. */
export const scorers: { readonly [name: string]: Named } = {
  platon: { takes: ["window", "beta1", "beta2"], make: Scorer.platon },
  sensitivity: { takes: ["window"], make: Scorer.sensitivity },
  magnitude: { takes: [], make: Scorer.magnitude },
  random: { takes: [], make: Scorer.random },
  taylor: { takes: ["window"], make: Scorer.taylor },
  fisher: { takes: ["window"], make: Scorer.fisher },
  gradient: { takes: ["window"], make: Scorer.gradient },
  movement: { takes: [], make: Scorer.movement }
}

const flags: Settings.Flags = { window: ["--window", 10], beta1: ["--beta1", 0.85], beta2: ["--beta2", 0.95] }

/** The scorer of a name with its settings; `ConfigError` for an unknown name, a bad value, and a setting that it does not take. */
export const scorer = (name: string, settings: ScorerSettings): Effect.Effect<Scorer.ImportanceScorer, ConfigError> =>
  Effect.flatMap(Settings.choice("--scorer", name, scorers), ({ takes, make }) => {
    const useless = keys.filter((key) => settings[key] !== undefined && !takes.includes(key))
    const problems = useless.map((key) => ({
      key: `--${key}`,
      value: String(settings[key]),
      bound: `left out with --scorer ${name}`,
      remedy: `it is for ${takersOf(key).join(", ")}`
    }))
    return problems.length > 0
      ? Effect.fail(new ConfigError({ problems }))
      : Settings.attempt(flags, () => make(settings))
  })

const keys = ["window", "beta1", "beta2"] as const

const takersOf = (key: keyof ScorerSettings): ReadonlyArray<string> =>
  Object.entries(scorers).flatMap(([name, { takes }]) => (takes.includes(key) ? [name] : []))
