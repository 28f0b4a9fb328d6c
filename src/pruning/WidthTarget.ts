import * as Result from "effect/Result"
import { Axis, BertConfig, Parameters } from "../model/index.ts"
import { ConfigError, type ConfigProblem } from "../spec/index.ts"

/** Units that remain of each kind of axis, in every layer, all heads together. */
export interface Widths {
  readonly hidden: number
  readonly ffn: number
  readonly qk: number
  readonly vo: number
}

/** A size as it is asked for: a share of every axis, some widths, or a number of parameters not to pass. */
export type Request =
  | { readonly ratio: number }
  | { readonly hidden?: number; readonly ffn?: number; readonly headWidth?: number }
  | { readonly parameters: number }

/** The widths of a model whose layers are alike; none where they are not. */
export const of = (config: BertConfig.BertConfig): Widths | undefined => {
  const alike = (widths: ReadonlyArray<number>): number | undefined =>
    widths.every((width) => width === widths[0]) ? widths[0] : undefined
  const [ffn, qk, vo] = [alike(config.ffn), alike(config.qk), alike(config.vo)]
  return ffn === undefined || qk === undefined || vo === undefined ? undefined : { hidden: config.hidden, ffn, qk, vo }
}

/** The configuration with these widths in every layer. */
export const resize = (config: BertConfig.BertConfig, widths: Widths): BertConfig.BertConfig => {
  const axes = BertConfig.axes(config)
  const sizes = Axis.prunable(axes).map(({ id }) => {
    const kind = id.slice(id.lastIndexOf(".") + 1)
    return [id, kind === "ffn" || kind === "qk" || kind === "vo" ? widths[kind] : widths.hidden] as const
  })
  return BertConfig.fromAxes(config, Axis.resize(axes, new Map(sizes)))
}

/** How many numbers a model of a shape holds. */
export const parameters = (config: BertConfig.BertConfig): number =>
  Parameters.count(Parameters.bert(config), BertConfig.axes(config))

/**
 * The sizes that every program reads which knows BERT, widest first: heads of one width, as many units in the residual stream as in all heads
 * together, and a feed-forward width in the teacher's proportion.
 *
 * Empty for a model that is not of this form itself, such as one whose layers differ.
 *
 * @example
 * ```ts
 * import { BertConfig } from "homodistil/model"
 * import { WidthTarget } from "homodistil/pruning"
 * const ladder = WidthTarget.ladder(BertConfig.micro)
 * assert.deepEqual([ladder.length, ladder[24]], [32, { hidden: 32, ffn: 128, qk: 32, vo: 32 }])
 * ```
 */
export const ladder = (config: BertConfig.BertConfig): ReadonlyArray<Widths> => {
  const whole = of(config)
  if (whole === undefined || whole.qk !== whole.hidden || whole.vo !== whole.hidden) return []
  const units = whole.hidden / config.heads
  return Array.from({ length: units }, (_, i) => {
    const left = units - i
    const hidden = left * config.heads
    return { hidden, ffn: Math.max(1, Math.round((whole.ffn * left) / units)), qk: hidden, vo: hidden }
  })
}

const refuse = (problems: ReadonlyArray<ConfigProblem>) => Result.fail(new ConfigError({ problems }))

const range = (key: string, value: number | undefined, most: number, multiple = 1): ReadonlyArray<ConfigProblem> => {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= most && value % multiple === 0))
    return []
  const nearest = Math.min(most, Math.max(multiple, multiple * Math.round(value / multiple)))
  const bound = `${multiple === 1 ? "a whole number" : `a multiple of ${multiple}`} in 1 … ${most}, what the teacher has`
  return [{ key, value: String(value), bound, remedy: `use ${Number.isFinite(nearest) ? nearest : most}` }]
}

/**
 * The widths that a request asks of a teacher; those of `ladder` for a share and for a number of parameters, where the teacher is of that form.
 *
 * What is not asked for by name stays in proportion: to a hidden width belong heads that make it up, and the other way round. Fails with
 * `ConfigError`, all problems at once: a share outside (0, 1], a width that is no whole number or wider than the teacher's, widths that other
 * programs cannot express (`free` allows them: for ONNX and homodistil), fewer parameters than the smallest student has.
 *
 * @example
 * ```ts
 * import { BertConfig } from "homodistil/model"
 * import { WidthTarget } from "homodistil/pruning"
 * import * as Result from "effect/Result"
 * const half = Result.getOrThrow(WidthTarget.choose(BertConfig.micro, { ratio: 0.5 }))
 * assert.deepEqual(half, { hidden: 64, ffn: 256, qk: 64, vo: 64 })
 * const wrong = Result.getOrThrow(Result.flip(WidthTarget.choose(BertConfig.micro, { hidden: 50 })))
assert.match(wrong.message, /--hidden = 50: must be a multiple of 4 .*use 52/)
 * ```
 */
export const choose = (
  config: BertConfig.BertConfig,
  request: Request,
  options: { readonly free?: boolean } = {}
): Result.Result<Widths, ConfigError> => {
  const whole = of(config)
  const rungs = ladder(config)
  const free = options.free === true || rungs.length === 0
  if (whole === undefined)
    return refuse([
      {
        key: "--teacher",
        value: "layers of different widths",
        bound: "a model whose layers are alike",
        remedy: "use --ratio with --any-widths, which takes a share of each axis as it is"
      }
    ])
  if ("ratio" in request) return ofRatio(whole, rungs, config.heads, request.ratio, free)
  if ("parameters" in request) return ofParameters(config, rungs, request.parameters)
  const { hidden, ffn, headWidth } = request
  const problems = [
    ...range("--hidden", hidden, whole.hidden, free ? 1 : config.heads),
    ...range("--ffn", ffn, whole.ffn),
    ...range("--head-width", headWidth, whole.qk / config.heads)
  ]
  if (problems.length > 0) return refuse(problems)
  const heads = headWidth === undefined ? undefined : headWidth * config.heads
  const [residual, inner] = free ? [hidden ?? whole.hidden, heads] : [hidden ?? heads ?? whole.hidden, heads ?? hidden]
  if (!free && inner !== undefined && inner !== residual)
    return refuse([
      {
        key: "--head-width",
        value: String(headWidth),
        bound: `--hidden (${residual}) divided by the ${config.heads} heads, the only head width that transformers reads`,
        remedy: `use ${residual / config.heads}, or --hidden ${inner}, or --any-widths for a student that only homodistil and ONNX read`
      }
    ])
  return Result.succeed({
    hidden: residual,
    ffn: ffn ?? whole.ffn,
    qk: inner ?? whole.qk,
    vo: inner ?? whole.vo
  })
}

/**
 * The configuration where so many heads are its own; fails with `ConfigError` where not. Attention is distilled head by head, each of a student's
 * heads from the one of its teacher that it started as, so every head stays and heads become narrower: the error names the head width that leaves
 * about as many units.
 *
 * @example
 * ```ts
 * import { BertConfig } from "homodistil/model"
 * import { WidthTarget } from "homodistil/pruning"
 * import * as Result from "effect/Result"
 * assert.ok(Result.isSuccess(WidthTarget.checkHeads(BertConfig.micro, 4)))
 * const wrong = Result.getOrThrow(Result.flip(WidthTarget.checkHeads(BertConfig.micro, 2)))
 * assert.match(wrong.message, /--heads = 2: must be 4, .*use --head-width 16: 4 heads of 16 units, as many as 2 of 32/)
 * ```
 */
export const checkHeads = (
  config: BertConfig.BertConfig,
  asked: number
): Result.Result<BertConfig.BertConfig, ConfigError> => {
  const { heads } = config
  if (asked === heads) return Result.succeed(config)
  const width = (of(config)?.qk ?? 0) / heads
  const narrower = Math.max(1, Math.round((asked * width) / heads))
  const same = narrower * heads === asked * width ? "as many as" : "about as many as"
  return refuse([
    {
      key: "--heads",
      value: String(asked),
      bound: `${heads}, the heads of the teacher: attention is distilled head by head, so every head stays and becomes narrower`,
      remedy:
        width > 0 && Number.isInteger(asked) && asked >= 1 && asked < heads
          ? `use --head-width ${narrower}: ${heads} heads of ${narrower} ${narrower === 1 ? "unit" : "units"}, ${same} ${asked} of ${width}`
          : "leave it out"
    }
  ])
}

const ofRatio = (
  whole: Widths,
  rungs: ReadonlyArray<Widths>,
  heads: number,
  ratio: number,
  free: boolean
): Result.Result<Widths, ConfigError> => {
  if (!(ratio > 0 && ratio <= 1))
    return refuse([
      { key: "--ratio", value: String(ratio), bound: "above 0 and at most 1", remedy: "use for example 0.5" }
    ])
  const share = (width: number, blocks = 1) => blocks * Math.max(1, Math.round((ratio * width) / blocks))
  const each = {
    hidden: share(whole.hidden),
    ffn: share(whole.ffn),
    qk: share(whole.qk, heads),
    vo: share(whole.vo, heads)
  }
  if (free) return Result.succeed(each)
  const nearest = rungs.reduce((best, rung) =>
    Math.abs(rung.hidden - ratio * whole.hidden) < Math.abs(best.hidden - ratio * whole.hidden) ? rung : best
  )
  return Result.succeed({ ...nearest, ffn: each.ffn })
}

const ofParameters = (
  config: BertConfig.BertConfig,
  rungs: ReadonlyArray<Widths>,
  most: number
): Result.Result<Widths, ConfigError> => {
  const found = rungs.find((rung) => parameters(resize(config, rung)) <= most)
  if (found !== undefined) return Result.succeed(found)
  const least = rungs.at(-1)
  return refuse([
    {
      key: "--params",
      value: String(most),
      bound:
        least === undefined
          ? "left out: this teacher's widths are not those of a plain BERT"
          : `at least ${parameters(resize(config, least))}, what the narrowest student holds`,
      remedy: least === undefined ? "use --ratio" : "ask for more, or take a teacher with a smaller vocabulary"
    }
  ])
}
