import * as Effect from "effect/Effect"
import * as vega from "vega"
import { compile, type Config, type TopLevelSpec } from "vega-lite"

/** Grey of the baseline and of everything that stands back. */
export const grey = "#6b6b6b"

/** Eight line colours that stay apart for colour-blind readers, after Okabe and Ito and Paul Tol, dark enough for text on white. */
export const palette = ["#0072b2", "#d55e00", "#008f68", "#aa3377", "#8a6d00", "#333333", "#3a8cc4", "#b5523b"] as const

/** For each colour of a figure the one it takes on a dark page. */
export const darker: { readonly [light: string]: string } = {
  "#ffffff": "#161616",
  "#1a1a1a": "#e8e8e8",
  "#333333": "#d0d0d0",
  "#444444": "#c0c0c0",
  "#555555": "#b0b0b0",
  "#6b6b6b": "#9a9a9a",
  "#9a9a9a": "#6b6b6b",
  "#e8e8e8": "#303030",
  "#0072b2": "#4aa8e0",
  "#d55e00": "#ff8533",
  "#008f68": "#2fc79a",
  "#aa3377": "#e074b4",
  "#8a6d00": "#d4b13a",
  "#3a8cc4": "#8cc8f0",
  "#b5523b": "#e8907a"
}

/** Fonts, sizes and light lines common to all figures. */
export const theme: Config = {
  background: "#ffffff",
  font: "Helvetica, Arial, sans-serif",
  padding: 16,
  aria: false,
  view: { stroke: null },
  title: {
    anchor: "start",
    fontSize: 17,
    fontWeight: "bold",
    color: "#1a1a1a",
    subtitleFontSize: 12.5,
    subtitleColor: "#555555",
    subtitlePadding: 6,
    subtitleLineHeight: 17
  },
  axis: {
    labelFontSize: 12,
    labelColor: "#444444",
    titleFontSize: 12.5,
    titleFontWeight: "normal",
    titleColor: "#333333",
    titlePadding: 10,
    gridColor: "#e8e8e8",
    domainColor: "#9a9a9a",
    tickColor: "#9a9a9a",
    tickSize: 4
  }
}

declare module "vega" {
  /** How vega measures text: its types leave this out. */
  export const textMetrics: {
    width: (
      item: { readonly fontSize?: number; readonly fontWeight?: string | number },
      text?: string | number
    ) => number
  }
}

/**
 * The width of a text in Helvetica or its likes, in pixels, to about a twentieth.
 *
 * Vega measures with a browser's canvas; without one it takes every character for a broad one, and figures get empty margins.
 *
 * @example
 * ```ts
 * import { Svg } from "homodistil/report"
 * assert.ok(Svg.textWidth("ill", 12, false) < Svg.textWidth("MLM", 12, false))
 * ```
 */
export const textWidth = (text: string, fontSize: number, bold: boolean): number => {
  let ems = 0
  for (const character of text) {
    if (/[ijl.,:;'|!()[\]tfrI /‖-]/.test(character)) ems += 0.3
    else if (/[mwMW%@—]/.test(character)) ems += 0.86
    else ems += /[A-Z&]/.test(character) ? 0.69 : 0.55
  }
  return ems * fontSize * (bold ? 1.06 : 1)
}

vega.textMetrics.width = ({ fontSize = 11, fontWeight }, text) =>
  textWidth(
    String(text ?? ""),
    fontSize,
    fontWeight === "bold" || (typeof fontWeight === "number" && fontWeight >= 600)
  )

/**
 * A vega-lite specification drawn as SVG, without a browser: the same text for the same specification, every time.
 *
 * Coordinates are rounded to hundredths of a pixel and elements stand on lines of their own, so that a change is readable.
 * A specification that vega-lite cannot compile is a defect, not an error.
 *
 * @example
 * ```ts
 * import { Svg } from "homodistil/report"
 * import * as Effect from "effect/Effect"
 * const svg = await Effect.runPromise(Svg.render({ data: { values: [{ x: 1 }] }, mark: "point" }))
 * assert.match(svg, /^<svg /)
 * ```
 */
export const render = (spec: TopLevelSpec): Effect.Effect<string> =>
  Effect.promise(() => {
    vega.resetSVGDefIds() // ids of clip paths count up through the life of the process
    return new vega.View(vega.parse(compile(spec, { config: theme }).spec), { renderer: "none" }).toSVG()
  }).pipe(Effect.map(tidy))

const tidy = (svg: string): string =>
  `${svg
    .replaceAll(/-?\d+\.\d{3,}(e-\d+)?/g, (number) => String(Number(Number(number).toFixed(2)) + 0))
    .replaceAll(/>(?=<(?!\/?tspan))/g, ">\n")}\n`
