import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { ExperimentRows, type Laboratory, type Runner, type Scale } from "../experiment/index.ts"
import {
  ExperimentReport,
  HtmlPage,
  Listing,
  Markdown,
  Published,
  type Report,
  ReportFiles,
  TextPlot
} from "../report/index.ts"
import { ConfigError, Digest, Spec } from "../spec/index.ts"
import type { Exhibit } from "./ExperimentFile.ts"
import { seedsText } from "./ReproduceSettings.ts"
import * as Words from "./Words.ts"

/** What is made public: finished experiments and listings, in the order they were asked for. */
export interface PublishOptions {
  /** The name that was asked for, `all` included. */
  readonly asked: string
  readonly exhibits: ReadonlyArray<Exhibit>
  readonly finished: ReadonlyArray<Runner.Finished>
  readonly out: string
  readonly store: string
  /** The flags that give data, as they were written. */
  readonly given: ReadonlyArray<string>
  readonly version: string
  readonly scale: Scale.Scale
  readonly materials: Laboratory.Materials
  readonly published?: Published.PublishedFile
}

/** The figures of a user's file, each of which must belong to a row and a column of these experiments. */
export const published = (
  file: string,
  experiments: ReadonlyArray<Runner.SeededExperiment>,
  scale: Scale.Scale
): Effect.Effect<Published.PublishedFile, ConfigError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const figures = yield* Published.read(file)
    const shown = yield* Effect.forEach(experiments, ({ experiment }) =>
      Effect.map(ExperimentRows.of(experiment, scale), (rows) => ({
        name: experiment.name,
        rows: rows.map(({ label, group }) => ({ name: label, group: group ?? null })),
        columns: ExperimentReport.columns(experiment)
      }))
    )
    const problems = Published.check(figures, shown)
    return problems.length === 0 ? figures : yield* new ConfigError({ problems })
  })

const provenance = (
  { experiment, seeds }: Runner.SeededExperiment,
  { version, scale, materials, given }: PublishOptions
): ReadonlyArray<string> => [
  `homodistil ${version}: homodistil reproduce ${experiment.name} --scale ${scale.name} --seeds ${[seedsText(seeds), ...given].join(" ")}`,
  `teacher ${Digest.short(materials.teacherDigest)}, data ${Digest.short(materials.dataset.digest)}, backend ${Spec.describe(materials.backend)}`
]

/** The report of an exhibit, with links to the cells. */
const reportOf = (exhibit: Exhibit, o: PublishOptions, href: (key: string) => string): Report => {
  if (Listing.isListing(exhibit)) return { text: exhibit.table() }
  const own = o.finished.find(({ experiment }) => experiment === exhibit)
  const figures = o.published?.[exhibit.name]
  return own === undefined
    ? {}
    : ExperimentReport.report(own, {
        provenance: provenance(own, o),
        href,
        ...(figures === undefined ? {} : { published: figures })
      })
}

/** A report for a terminal: Markdown, then the first measure and the first picture as plots. */
const shown = ({ table, text, figures = {} }: Report): string => {
  const [column] = table?.columns ?? []
  const [panel] = Object.values(figures)[0]?.panels ?? []
  return [
    ...(text === undefined ? [] : [Markdown.renderText(text)]),
    ...(table === undefined ? [] : [Markdown.render(table, { detail: false })]),
    ...(table === undefined || column === undefined ? [] : [TextPlot.dots(table, column.id)]),
    ...(panel === undefined ? [] : [TextPlot.lines(panel)])
  ]
    .filter((part) => part !== "")
    .map((part) => (part.endsWith("\n") ? part : `${part}\n`))
    .join("\n")
}

/** What the reader of the page should know first. */
const introduction = ({ scale, finished }: PublishOptions): ReadonlyArray<string> => [
  `Tables and figures of the paper at ${scale.name} scale, each from the cells of ${Words.counted(finished.length, "experiment")}; every number links to its cell, whose spec its key is the digest of.`,
  "Bold marks the best row of a column where its difference to the baseline survives Holm's correction at .05; a result that diverged is named, never left out."
]

/**
 * Writes tables and figures: a folder for each exhibit and one page of all of them in `out`, or the files of a single one there; and tells
 * what a terminal shows.
 */
export const write = (o: PublishOptions) =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const single = o.asked !== "all" && o.exhibits.length === 1
    const parts = yield* Effect.forEach(o.exhibits, (exhibit) =>
      Effect.gen(function* () {
        const folder = single ? o.out : path.join(o.out, exhibit.name)
        const link = (from: string) => (key: string) =>
          path
            .relative(from, path.join(o.store, "cells", key, "result.json"))
            .split(path.sep)
            .join("/")
        const report = reportOf(exhibit, o, link(folder))
        const files = yield* ReportFiles.render(report)
        // the same report where it lies beside the page
        const page = { name: exhibit.name, report: single ? report : reportOf(exhibit, o, link(o.out)), files }
        return { page, report, written: yield* ReportFiles.write(folder, files) }
      })
    )
    const title = single ? (o.exhibits[0]?.title ?? o.asked) : `HomoDistil, ${o.scale.name} scale`
    const html = HtmlPage.render({
      title,
      introduction: introduction(o),
      parts: parts.map(({ page }) => page),
      provenance: [
        `homodistil ${o.version}: homodistil reproduce ${[o.asked, "--scale", o.scale.name, ...o.given].join(" ")}`
      ]
    })
    const page = yield* ReportFiles.write(o.out, { "index.html": html })
    return {
      text: parts.map(({ report }) => shown(report)).join("\n"),
      files: [...parts.flatMap(({ written }) => written), ...page]
    }
  })
