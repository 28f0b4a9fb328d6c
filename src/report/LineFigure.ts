import type { TopLevelSpec } from "vega-lite"
import { Statistics } from "../experiment/index.ts"
import { grey, palette } from "./Svg.ts"

/** One method's values at one training step, one a seed. */
export interface Point {
  readonly step: number
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
  readonly series: ReadonlyArray<Series>
  /** In pixels; 300 unless given. */
  readonly height?: number
  /** Format of the axis labels (d3-format), e.g. `%`. */
  readonly format?: string
}

/** A step worth a dotted line through all panels, such as the end of pruning. */
export interface Landmark {
  readonly step: number
  readonly label: string
}

/** A line figure: panels one above the other over the training step. */
export interface LineFigure {
  readonly title: string
  /** Setting, seeds, scale: one text a line. */
  readonly subtitle: ReadonlyArray<string>
  readonly panels: ReadonlyArray<Panel>
  readonly landmarks?: ReadonlyArray<Landmark>
}

/** One step of a line: the mean over seeds and its 95 % t-interval, which is the mean itself below two seeds. */
export interface Band {
  readonly series: string
  readonly step: number
  readonly mean: number
  readonly low: number
  readonly high: number
}

/**
 * The mean and 95 % interval of each step of a series; steps without any value are left out.
 *
 * @example
 * ```ts
 * import { LineFigure } from "homodistil/report"
 * const [band] = LineFigure.bands({ name: "PLATON", points: [{ step: 20, values: [1.33, 1.34, 1.35] }] })
 * assert.equal(band?.low.toFixed(3), "1.315")
 * ```
 */
export const bands = ({ name, points }: Series): ReadonlyArray<Band> =>
  points.flatMap(({ step, values }) => {
    const finite = values.filter(Number.isFinite)
    if (finite.length === 0) return []
    const { mean, interval } = Statistics.summary(finite)
    return [{ series: name, step, mean, low: interval?.low ?? mean, high: interval?.high ?? mean }]
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

/**
 * The figure as a vega-lite specification with its data inside: a line for each mean, a band for each 95 % interval, labels at the
 * ends of the lines. Vertical axes start at zero; a band that would leave its panel is cut at the edge.
 */
export const spec = (figure: LineFigure): TopLevelSpec => {
  const names = [...new Set(figure.panels.flatMap(({ series }) => series.map(({ name }) => name)))]
  const steps = figure.panels.flatMap(({ series }) => series.flatMap(({ points }) => points.map(({ step }) => step)))
  const lastStep = Math.max(1, ...steps)
  const color = {
    field: "series",
    type: "nominal" as const,
    scale: { domain: names, range: names.map((_, i) => palette[i % palette.length] ?? grey) },
    legend: null
  }
  const panels = figure.panels.map((panel, p) => {
    const bottom = p === figure.panels.length - 1
    const height = panel.height ?? 300
    const data = panel.series.flatMap(bands)
    const top = topOf(data)
    const shown = new Set(figure.panels.slice(0, p).flatMap(({ series }) => series.map(({ name }) => name)))
    const x = {
      field: "step",
      type: "quantitative" as const,
      scale: { domain: [0, lastStep], nice: false },
      axis: { grid: false, labels: bottom, labelFlush: false, tickCount: 9, title: bottom ? "Training step" : null }
    }
    const y = {
      type: "quantitative" as const,
      scale: { domain: [0, top], nice: false },
      axis: {
        title: panel.title,
        tickCount: height < 150 ? 3 : 6,
        domain: false,
        ticks: false,
        labelPadding: 6,
        minExtent: 38, // so that the titles of all panels stand in one line
        ...(panel.format === undefined ? {} : { format: panel.format })
      }
    }
    return {
      width,
      height,
      layer: [
        {
          data: { values: data.map((band) => ({ ...band, low: within(band.low, top), high: within(band.high, top) })) },
          mark: { type: "area" as const, opacity: 0.16 },
          encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color }
        },
        {
          data: { values: (figure.landmarks ?? []).map(({ step, label }) => ({ step, label })) },
          layer: [
            { mark: { type: "rule" as const, color: grey, strokeDash: [2, 4] }, encoding: { x } },
            ...(p > 0 ? [] : [landmarkLabel(x)])
          ]
        },
        {
          data: { values: data.map(({ series, step, mean }) => ({ series, step, mean })) },
          mark: { type: "line" as const, strokeWidth: 2.2, strokeJoin: "round" as const },
          encoding: { x, y: { ...y, field: "mean" }, color }
        },
        {
          data: { values: labels(data, shown, top, height) },
          mark: { type: "text" as const, align: "left" as const, dx: 8, fontSize: 12.5, fontWeight: "bold" as const },
          encoding: {
            x: { datum: lastStep },
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

/** The upper end of the vertical axis: all bands fit, unless two seeds far apart would press the lines themselves flat. */
const topOf = (data: ReadonlyArray<Band>): number => {
  const high = Math.max(0, ...data.map((band) => band.high))
  const mean = Math.max(0, ...data.map((band) => band.mean))
  return 1.04 * (mean > 0 ? Math.min(high, 1.6 * mean) : 1)
}

const within = (value: number, top: number): number => Math.min(top, Math.max(0, value))

const landmarkLabel = <X>(x: X) => ({
  mark: { type: "text" as const, color: grey, fontSize: 12, baseline: "bottom" as const, dy: -4 },
  encoding: { x, y: { value: 0 }, text: { field: "label", type: "nominal" as const } }
})

/** A label for each series that no earlier panel has labelled, at the height where its line ends. */
const labels = (data: ReadonlyArray<Band>, shown: ReadonlySet<string>, top: number, height: number) => {
  const ends = new Map(data.filter(({ series }) => !shown.has(series)).map(({ series, mean }) => [series, mean]))
  const places = dodge(
    [...ends.values()].map((mean) => height * (1 - mean / top)),
    labelGap,
    height
  )
  return [...ends.keys()].map((series, i) => ({ series, at: top * (1 - (places[i] ?? 0) / height) }))
}
