import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import type { Backend, CompileError, ExecutionError } from "../backend/index.ts"
import { Latency } from "../evaluate/index.ts"
import { BertConfig, Flops, Parameters } from "../model/index.ts"
import { WidthTarget } from "../pruning/index.ts"
import { ConfigError, type ConfigProblem, Seed } from "../spec/index.ts"
import * as Words from "./Words.ts"
import * as Columns from "./runs/Columns.ts"

const optional = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withDescription(description), Flag.optional)

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)

/** The flags that say how large a student is to be; `--ratio` stands with the schedule that it belongs to. */
export const flags = {
  hidden: optional("hidden", "hidden width of the student; its heads share it evenly"),
  ffn: optional("ffn", "feed-forward width of the student"),
  headWidth: optional("head-width", "units of each of its attention heads"),
  heads: optional(
    "heads",
    "attention heads of the student: those of its teacher, since whole heads are never removed; --head-width makes them narrower"
  ),
  params: text("params", "N", "the widest student of at most so many parameters: 14M, 500k, 1200000"),
  latency: text("latency", "Nx", "the widest student that is so many times as fast as its teacher here: 2x, 3.5x"),
  anyWidths: Flag.Boolean("any-widths").pipe(
    Flag.withDescription("allow widths that transformers cannot load; homodistil and ONNX can"),
    Flag.withDefault(false)
  )
}

/** What the flags give. */
export interface Options {
  readonly ratio: Option.Option<number>
  readonly hidden: Option.Option<number>
  readonly ffn: Option.Option<number>
  readonly headWidth: Option.Option<number>
  readonly heads: Option.Option<number>
  readonly params: Option.Option<string>
  readonly latency: Option.Option<string>
  readonly anyWidths: boolean
}

/** The settings by flag, for the command line that makes a student again. */
export const written = (o: Options): { readonly [flag: string]: string | number | undefined } => ({
  hidden: Option.getOrUndefined(o.hidden),
  ffn: Option.getOrUndefined(o.ffn),
  "head-width": Option.getOrUndefined(o.headWidth),
  heads: Option.getOrUndefined(o.heads),
  params: Option.getOrUndefined(o.params),
  latency: Option.getOrUndefined(o.latency),
  "any-widths": o.anyWidths ? "true" : undefined
})

/** A size that is asked for: one that follows from the teacher's shape alone, or one that must be timed. */
export type Request = WidthTarget.Request | { readonly speedUp: number }

const factors: { readonly [suffix: string]: number } = { "": 1, k: 1e3, m: 1e6, g: 1e9 }

const numberOf = (value: string): number => {
  const [, digits = "", suffix = ""] = /^(\d+(?:\.\d+)?(?:e\d+)?)([kmg]?)$/i.exec(value.trim()) ?? []
  return digits === "" ? Number.NaN : Math.round(Number(digits) * (factors[suffix.toLowerCase()] ?? Number.NaN))
}

const speedOf = (value: string): number => {
  const [, digits] = /^(\d+(?:\.\d+)?)x?$/i.exec(value.trim()) ?? []
  return digits === undefined ? Number.NaN : Number(digits)
}

const given = (o: Options): ReadonlyArray<readonly [flag: string, value: string]> => {
  const told = (flag: string, value: Option.Option<number | string>) =>
    Option.isSome(value) ? [[flag, `${value.value}`] as const] : []
  return [
    ...told("--ratio", o.ratio),
    ...told("--params", o.params),
    ...told("--latency", o.latency),
    ...told("--hidden", o.hidden),
    ...told("--ffn", o.ffn),
    ...told("--head-width", o.headWidth)
  ]
}

/** The flags that may stand together: all widths. */
const widthFlags: ReadonlyArray<string> = ["--hidden", "--ffn", "--head-width"]

/**
 * The size that the flags ask for; a quarter of every axis unless they say otherwise.
 *
 * Fails with `ConfigError` where flags contradict each other, or a number cannot be read.
 */
export const request = (o: Options): Effect.Effect<Request, ConfigError> => {
  const all = given(o)
  const [first, ...others] = all
  const widths = all.every(([flag]) => widthFlags.includes(flag))
  const problems: Array<ConfigProblem> =
    first === undefined || widths
      ? []
      : others.map(([key, value]) => ({
          key,
          value,
          bound: `left out beside ${first[0]}, which decides the size already`,
          remedy: "give one of --ratio, --params and --latency, or widths"
        }))
  const parameters = Option.map(o.params, numberOf)
  if (Option.isSome(parameters) && !(parameters.value >= 1))
    problems.push({
      key: "--params",
      value: Option.getOrElse(o.params, () => ""),
      bound: "a number of parameters",
      remedy: "use for example --params 14M"
    })
  const speedUp = Option.map(o.latency, speedOf)
  if (Option.isSome(speedUp) && !(speedUp.value >= 1))
    problems.push({
      key: "--latency",
      value: Option.getOrElse(o.latency, () => ""),
      bound: "a speed-up of at least 1x",
      remedy: "use for example --latency 2x"
    })
  if (problems.length > 0) return Effect.fail(new ConfigError({ problems }))
  if (Option.isSome(parameters)) return Effect.succeed({ parameters: parameters.value })
  if (Option.isSome(speedUp)) return Effect.succeed({ speedUp: speedUp.value })
  if (first === undefined || Option.isSome(o.ratio))
    return Effect.succeed({ ratio: Option.getOrElse(o.ratio, () => 0.25) })
  return Effect.succeed({
    ...(Option.isSome(o.hidden) ? { hidden: o.hidden.value } : {}),
    ...(Option.isSome(o.ffn) ? { ffn: o.ffn.value } : {}),
    ...(Option.isSome(o.headWidth) ? { headWidth: o.headWidth.value } : {})
  })
}

/** A model of a shape with random weights: what a shape costs does not depend on them. */
const sample = (config: BertConfig.BertConfig) => ({
  config,
  parameters: Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0))
})

/** The widest rung of the ladder that encodes so many times as fast as the teacher: found by halving, each candidate timed beside the teacher. */
const timed = (
  teacher: BertConfig.BertConfig,
  speedUp: number,
  told: (line: string) => Effect.Effect<void>
): Effect.Effect<WidthTarget.Widths, ConfigError | CompileError | ExecutionError, Backend> =>
  Effect.gen(function* () {
    const rungs = WidthTarget.ladder(teacher)
    const whole = sample(teacher)
    let [low, high, best] = [0, rungs.length - 1, 1]
    const refuse = (bound: string, remedy: string) =>
      new ConfigError({ problems: [{ key: "--latency", value: `${speedUp}x`, bound, remedy }] })
    if (rungs.length === 0)
      return yield* refuse("left out: this teacher's widths are not those of a plain BERT", "use --ratio")
    let found: WidthTarget.Widths | undefined
    while (low <= high) {
      const middle = (low + high) >> 1
      const rung = rungs[middle]
      if (rung === undefined) break
      const [of = Number.NaN, by = Number.NaN] = yield* Latency.measure([
        whole,
        sample(WidthTarget.resize(teacher, rung))
      ])
      const factor = of / by
      best = Math.max(best, factor)
      yield* told(`hidden ${rung.hidden}: ${by.toFixed(2)} ms against ${of.toFixed(2)} ms, ${factor.toFixed(2)}x`)
      if (factor >= speedUp) {
        found = rung
        high = middle - 1
      } else low = middle + 1
    }
    return (
      found ??
      (yield* refuse(`at most about ${best.toFixed(1)}x, what the narrowest student reaches here`, "ask for less"))
    )
  })

/**
 * The widths that a request asks of a teacher, and how far the remaining ratio falls: the smallest share that is left of any axis. There are no
 * widths where any will do that a share gives.
 *
 * A speed-up is measured on the backend that is provided; `told` gets a line for each student that was timed. Fails with `ConfigError` where there
 * is no such student.
 */
export const choose = (
  teacher: BertConfig.BertConfig,
  request: Request,
  o: { readonly anyWidths: boolean; readonly told: (line: string) => Effect.Effect<void> }
): Effect.Effect<
  { readonly widths?: WidthTarget.Widths; readonly ratio: number },
  ConfigError | CompileError | ExecutionError,
  Backend
> =>
  Effect.gen(function* () {
    // of each axis as it is: a share needs no shape that others can read
    if ("ratio" in request && o.anyWidths) return { ratio: request.ratio }
    const widths =
      "speedUp" in request
        ? yield* timed(teacher, request.speedUp, o.told)
        : yield* Effect.fromResult(WidthTarget.choose(teacher, request, { free: o.anyWidths }))
    const whole = WidthTarget.of(teacher)
    const shares = whole === undefined ? [] : kinds.map((kind) => widths[kind] / whole[kind])
    return { widths, ratio: "ratio" in request ? request.ratio : Math.min(1, ...shares) }
  })

const kinds = ["hidden", "ffn", "qk", "vo"] as const

const right = (name: string) => ({ name, side: "right" as const })

/** Teacher and student as they are planned: widths, parameters, operations of encoding a piece, and how many times fewer those are. */
export const outline = (
  teacher: BertConfig.BertConfig,
  student: BertConfig.BertConfig,
  length: number
): ReadonlyArray<string> => {
  const operations = (config: BertConfig.BertConfig) => Flops.forward(config, { rows: 1, length, masked: 0 }) / length
  const row = (name: string, config: BertConfig.BertConfig) => {
    const widths = WidthTarget.of(config)
    const each = (of: ReadonlyArray<number>): string => {
      const [least, most] = [Math.min(...of), Math.max(...of)]
      return least === most ? String(least) : `${least}…${most}`
    }
    return [
      name,
      String(config.layers),
      String(config.hidden),
      each(config.ffn),
      widths === undefined || widths.qk !== widths.vo
        ? `${config.heads} × ${each(config.qk.map((width) => width / config.heads))}/${each(config.vo.map((width) => width / config.heads))}`
        : `${config.heads} × ${widths.qk / config.heads}`,
      Words.amount(WidthTarget.parameters(config)),
      Words.amount(Math.round(operations(config))),
      `${(operations(teacher) / operations(config)).toFixed(2)}x`
    ]
  }
  return Columns.lines(
    [
      { name: "" },
      right("layers"),
      right("hidden"),
      right("feed-forward"),
      right("heads"),
      right("parameters"),
      right("FLOPs a piece"),
      right("fewer")
    ],
    [row("teacher", teacher), row("student", student)]
  )
}
