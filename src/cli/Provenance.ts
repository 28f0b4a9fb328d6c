import type { Dataset, Tokenizer } from "../data/index.ts"
import { DistillPlan, Pretraining } from "../distill/index.ts"
import { type Digest, type Json, type JsonObject, Spec } from "../spec/index.ts"
import type * as DistillReport from "./DistillReport.ts"

/** What stands behind the numbers of a model, whatever made it. */
export interface Origin {
  /** The command line that makes the model again. */
  readonly command: string
  readonly seed: number
  readonly dataset: Dataset
  readonly tokenizer: Tokenizer
  /** Measured on test rows. */
  readonly heldOut: DistillReport.Measured
  readonly backend: Spec.Spec
  /** Of homodistil, Node and what computes. */
  readonly versions: { readonly [name: string]: string }
  /** Wall time. */
  readonly seconds: number
}

/** The settings of a command in the order given, as the command line that has them all; `undefined` ones are left out. */
export const commandLine = (
  command: string,
  settings: { readonly [flag: string]: string | number | undefined }
): string =>
  [
    `homodistil ${command}`,
    ...Object.entries(settings).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag} ${value}`]))
  ].join(" ")

const digits = (value: number): number => Number(value.toPrecision(6))

/** What was measured; a discrepancy of 0 is that of a model without a teacher. */
const measured = (heldOut: DistillReport.Measured): JsonObject =>
  Object.fromEntries(
    Object.entries(heldOut).flatMap(([name, value]: readonly [string, number]) =>
      name === "discrepancy" && value === 0 ? [] : [[name, Number.isInteger(value) ? value : digits(value)]]
    )
  )

const common = (origin: Origin, spec: Spec.Spec, more: JsonObject): Json => ({
  command: origin.command,
  seed: origin.seed,
  ...more,
  data: origin.dataset.digest,
  tokenizer: origin.tokenizer.digest,
  heldOut: measured(origin.heldOut),
  backend: Spec.describe(origin.backend),
  versions: origin.versions,
  seconds: Math.round(origin.seconds),
  spec: Spec.toJson(spec)
})

/** `provenance.json` of a pre-trained teacher. */
export const ofTeacher = (origin: Origin, pretraining: Pretraining.PretrainingOptions): Json =>
  common(origin, Pretraining.spec(pretraining), {})

/** `provenance.json` of a distilled student; `teacher` is the digest of its teacher. */
export const ofStudent = (origin: Origin, plan: DistillPlan.DistillPlan, teacher: Digest.Digest): Json =>
  common(origin, DistillPlan.spec(plan), { teacher })
