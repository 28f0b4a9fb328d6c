import type { TopLevelSpec } from "vega-lite"
import { Statistics } from "../experiment/index.ts"
import * as PathMarks from "./PathMarks.ts"
import { grey, palette } from "./Svg.ts"

/** One method's values at one training step, one a seed. */
export interface Point {
  readonly step: number
  /** The place on the horizontal axis, where that is not the step. */
  readonly x?: number
  readonly values: ReadonlyArray<number>
}

/** One line: a method followed over the training steps. */
export interface Series {
  readonly name: string
  readonly points: ReadonlyArray<Point>
}

/** One set of axes. Series of one name have one colour in all panels, and their label in the first that shows them. */
export interface Panel {
  /** Title of the vertical axis, with its unit. */
  readonly title: string
  /** What stands above the panel, where panels differ in more than their axis. */
  readonly heading?: string
  readonly series: ReadonlyArray<Series>
  /** In pixels; 300 unless given. */
  readonly height?: number
  /** Format of the axis labels (d3-format), e.g. `%`. */
  readonly format?: string
  /** Whether the vertical axis starts at zero, which it does unless `false`. */
  readonly zero?: boolean
  /** The upper end of the vertical axis, where it is known. */
  readonly top?: number
}

/** A step worth a dotted line through all panels, such as the end of pruning. */
export interface Landmark {
  readonly step: number
  readonly label: string
}

/** A horizontal axis other than the training step, from its left end to its right. */
export interface Across {
  readonly title: string
  readonly from: number
  readonly to: number
}

/** A line figure: panels one above the other over the training step. */
export interface LineFigure {
  readonly title: string
  /** Setting, seeds, scale: one text a line. */
  readonly subtitle: ReadonlyArray<string>
  readonly panels: ReadonlyArray<Panel>
  readonly landmarks?: ReadonlyArray<Landmark>
  /** The training step from zero to the last unless given. */
  readonly across?: Across
  /** What a band shows: the 95 % interval of the mean unless `range`, from the least value to the greatest. */
  readonly spread?: "interval" | "range"
  /**
   * How points are joined: by `lines` unless given; by `steps` where a value holds until the next; as a `path` that goes across and, once
   * it has arrived, on to where it ends beside the right edge.
   */
  readonly join?: "lines" | "steps" | "path"
}

/** One step of a line: the mean over seeds and its 95 % t-interval, which is the mean itself below two seeds. */
export interface Band {
  readonly series: string
  readonly step: number
  /** The place on the horizontal axis. */
  readonly x: number
  readonly mean: number
  readonly low: number
  readonly high: number
}

/**
 * The mean and 95 % interval (or range) of each step of a series; steps without any value are left out.
 *
 * @example
 * ```ts
 * import { LineFigure } from "homodistil/report"
 * const [band] = LineFigure.bands({ name: "PLATON", points: [{ step: 20, values: [1.33, 1.34, 1.35] }] })
 * assert.equal(band?.low.toFixed(3), "1.315")
 * ```
 */
export const bands = ({ name, points }: Series, spread: "interval" | "range" = "interval"): ReadonlyArray<Band> =>
  points.flatMap(({ step, x = step, values }) => {
    const finite = values.filter(Number.isFinite)
    if (finite.length === 0) return []
    const { mean, interval } = Statistics.summary(finite)
    const { low, high } =
      spread === "range"
        ? { low: Math.min(...finite), high: Math.max(...finite) }
        : (interval ?? { low: mean, high: mean })
    return [{ series: name, step, x, mean, low, high }]
  })

/**
 * Places for labels as near as possible to where they should be, in the same order, `gap` apart and within [0, `height`]
 * where they fit.
 *
 * @example
 * ```ts
 * import { LineFigure } from "homodistil/report"
 * assert.deepEqual(LineFigure.dodge([50, 52, 90], 10, 100), [46, 56, 90])
 * ```
 */
export const dodge = (wanted: ReadonlyArray<number>, gap: number, height: number): ReadonlyArray<number> => {
  const order = wanted.map((at, index) => ({ at, index })).toSorted((a, b) => a.at - b.at)
  const room = Math.max(0, height - gap * (order.length - 1))
  // with i·gap taken off, labels may touch but not pass: the nearest rising numbers, found by merging neighbours (isotonic regression)
  const blocks: Array<{ sum: number; count: number }> = []
  order.forEach(({ at }, i) => {
    let block = { sum: at - i * gap, count: 1 }
    for (
      let last = blocks.at(-1);
      last !== undefined && last.sum / last.count >= block.sum / block.count;
      last = blocks.at(-1)
    ) {
      block = { sum: last.sum + block.sum, count: last.count + block.count }
      blocks.pop()
    }
    blocks.push(block)
  })
  const rising = blocks.flatMap(({ sum, count }) => Array.from({ length: count }, () => sum / count))
  const placed = wanted.slice()
  order.forEach(({ index }, i) => {
    placed[index] = Math.min(room, Math.max(0, rising[i] ?? 0)) + i * gap
  })
  return placed
}

const width = 620
const labelGap = 16

/** The lowest and highest value of a vertical axis. */
interface Ends {
  readonly low: number
  readonly high: number
}

/**
 * The figure as a vega-lite specification with its data inside: a line for each mean, a band for each 95 % interval, labels at the
 * ends of the lines. A band that would leave its panel is cut at the edge.
 */
export const spec = (figure: LineFigure): TopLevelSpec => {
  const names = [...new Set(figure.panels.flatMap(({ series }) => series.map(({ name }) => name)))]
  const color = {
    field: "series",
    type: "nominal" as const,
    scale: { domain: names, range: names.map((_, i) => palette[i % palette.length] ?? grey) },
    legend: null
  }
  const panels = figure.panels.map((panel, p) => {
    const height = panel.height ?? 300
    const data = panel.series.flatMap((each) => bands(each, figure.spread))
    const ends = endsOf(data, panel)
    const x = { ...horizontal(figure, p === figure.panels.length - 1), field: "x" }
    const y = vertical(panel, ends, height)
    const within = data.map((band) => ({ ...band, low: inside(band.low, ends), high: inside(band.high, ends) }))
    const shown = new Set(figure.panels.slice(0, p).flatMap(({ series }) => series.map(({ name }) => name)))
    const texts = labels(data, shown, ends, height)
    const strip = figure.join === "path" ? PathMarks.strip(panel.series.length) : 0
    const interpolate = figure.join === "steps" ? ("step-after" as const) : ("linear" as const)
    return {
      width,
      height,
      ...(panel.heading === undefined
        ? {}
        : { title: { text: panel.heading, fontSize: 13, frame: "group" as const, offset: 8 } }),
      layer: [
        ...(figure.join === "path"
          ? PathMarks.layers(within, { x, y, color })
          : [
              {
                data: { values: within },
                mark: { type: "area" as const, opacity: 0.16, interpolate },
                encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color }
              },
              landmarks(figure, p, x),
              ...strokes(figure.join === "steps" ? panel.series.map(({ name }) => name) : names, figure.join).map(
                ({ stroke, members }) => ({
                  data: { values: data.filter(({ series }) => members.has(series)) },
                  mark: { type: "line" as const, strokeJoin: "round" as const, interpolate, ...stroke },
                  encoding: { x, y: { ...y, field: "mean" }, color }
                })
              )
            ]),
        {
          data: { values: texts },
          mark: {
            type: "text" as const,
            align: "left" as const,
            dx: 8 + strip,
            fontSize: 12.5,
            fontWeight: "bold" as const
          },
          encoding: {
            x: { datum: rightEnd(figure) },
            y: { ...y, field: "at" },
            color,
            text: { field: "series", type: "nominal" as const }
          }
        }
      ]
    }
  })
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: { text: figure.title, subtitle: [...figure.subtitle], offset: 28 },
    spacing: 18,
    vconcat: panels
  }
}

const rightEnd = ({ across, panels }: LineFigure): number =>
  across?.to ??
  Math.max(1, ...panels.flatMap(({ series }) => series.flatMap(({ points }) => points.map(({ step }) => step))))

const horizontal = (figure: LineFigure, bottom: boolean) => ({
  type: "quantitative" as const,
  scale: { domain: [figure.across?.from ?? 0, rightEnd(figure)], nice: false, zero: false },
  axis: {
    grid: false,
    labels: bottom,
    labelFlush: false,
    ...(figure.across === undefined ? {} : { labelPadding: 8 }), // where the left end is not zero, its label is longer
    tickCount: 9,
    title: bottom ? (figure.across?.title ?? "Training step") : null
  }
})

const vertical = ({ title, format }: Panel, { low, high }: Ends, height: number) => ({
  type: "quantitative" as const,
  scale: { domain: [low, high], nice: false, zero: false },
  axis: {
    title,
    tickCount: height < 150 ? 3 : 6,
    domain: false,
    ticks: false,
    labelPadding: 6,
    minExtent: 38, // so that the titles of all panels stand in one line
    ...(format === undefined ? {} : { format })
  }
})

/** The ends of the vertical axis: all bands fit, unless two seeds far apart would press the lines themselves flat. */
const endsOf = (data: ReadonlyArray<Band>, { zero = true, top }: Panel): Ends => {
  const least = Math.min(...data.map(({ mean }) => mean))
  const most = Math.max(...data.map(({ mean }) => mean))
  const highest = Math.max(...data.map(({ high }) => high))
  if (zero || data.length === 0) return { low: 0, high: 1.04 * (top ?? (most > 0 ? Math.min(highest, 1.6 * most) : 1)) }
  const span = most > least ? most - least : Math.max(0.1 * Math.abs(most), 1e-3)
  const low = Math.max(Math.min(...data.map((band) => band.low)), least - 0.6 * span)
  const high = Math.min(highest, most + 0.6 * span)
  const air = 0.06 * Math.max(span, high - low)
  return { low: low - air, high: high + air }
}

const inside = (value: number, { low, high }: Ends): number => Math.min(high, Math.max(low, value))

/**
 * Series by how their lines are drawn: whole as far as the colours last, then dashed. Steps are often the same in several series:
 * there earlier lines are broader, so that later ones do not hide them.
 */
const strokes = (names: ReadonlyArray<string>, join: LineFigure["join"]) =>
  join === "steps"
    ? names.map((name, i) => ({
        stroke: { strokeWidth: 2 + 1.8 * (names.length - 1 - i) },
        members: new Set([name])
      }))
    : [{}, { strokeDash: [6, 3] }, { strokeDash: [2, 3] }].flatMap((dash, d, all) => {
        const from = d * palette.length
        const members = new Set(names.slice(from, d === all.length - 1 ? undefined : from + palette.length))
        return members.size === 0 ? [] : [{ stroke: { strokeWidth: 2.2, ...dash }, members }]
      })

const landmarks = <X>(figure: LineFigure, p: number, x: X) => ({
  data: { values: (figure.landmarks ?? []).map(({ step, label }) => ({ x: step, label })) },
  layer: [
    { mark: { type: "rule" as const, color: grey, strokeDash: [2, 4] }, encoding: { x } },
    ...(p > 0
      ? []
      : [
          {
            mark: { type: "text" as const, color: grey, fontSize: 12, baseline: "bottom" as const, dy: -4 },
            encoding: { x, y: { value: 0 }, text: { field: "label", type: "nominal" as const } }
          }
        ])
  ]
})

/** A label for each series that no earlier panel has labelled, at the height where its line ends. */
const labels = (data: ReadonlyArray<Band>, shown: ReadonlySet<string>, { low, high }: Ends, height: number) => {
  const ends = new Map(data.filter(({ series }) => !shown.has(series)).map(({ series, mean }) => [series, mean]))
  const places = dodge(
    [...ends.values()].map((mean) => (height * (high - mean)) / (high - low)),
    labelGap,
    height
  )
  return [...ends.keys()].map((series, i) => ({ series, at: high - ((high - low) * (places[i] ?? 0)) / height }))
}
