import * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import { Distillation } from "../experiment/index.ts"

/** Folder of the teacher. */
export const teacher = Flag.String("teacher").pipe(
  Flag.withMetavar("DIR"),
  Flag.withDescription(
    "folder of the teacher, a Hugging Face BertForMaskedLM (default: the one that comes with homodistil)"
  ),
  Flag.optional
)

/** Folder of the store of cells. */
export const store = Flag.String("store").pipe(
  Flag.withMetavar("DIR"),
  Flag.withDescription("folder in which cells are kept (default runs)"),
  Flag.withDefault("runs")
)

/** Seconds between two checkpoints. */
export const checkpointEvery = Flag.Finite("checkpoint-every").pipe(
  Flag.withMetavar("SECONDS"),
  Flag.withDescription(
    `work between two checkpoints, which the same command goes on from; it shapes no number (default ${Distillation.checkpointEvery}, or a hundred times as long as one takes to write)`
  ),
  Flag.optional
)

/** Text of the user's. */
export const text = Flag.String("text").pipe(
  Flag.withMetavar("FILES"),
  Flag.withDescription(
    "texts of yours, with commas between: plain UTF-8 with blank lines between documents, or JSON lines (.jsonl) with a field text; packed by gzip or not; brown stands for the Brown corpus, beside files of yours or alone (default: brown, of which downstream tasks are made in any case)"
  ),
  Flag.optional
)

/** The parts of a list with commas between. */
export const parts = (list: string): ReadonlyArray<string> => list.split(",").map((part) => part.trim())

/** The parts of a list with commas between; none where it is not given. */
export const optionalParts = (list: Option.Option<string>): ReadonlyArray<string> =>
  Option.match(list, { onNone: () => [], onSome: parts })

/** The files of a list with commas between. */
export const files = (list: Option.Option<string>): ReadonlyArray<string> =>
  optionalParts(list).filter((name) => name !== "")

/** Nothing but results and errors. */
export const quiet = Flag.Boolean("quiet").pipe(
  Flag.withDescription("no progress on standard error"),
  Flag.withDefault(false)
)

/** Threads of a native session. */
export const threads = (value: number) =>
  Flag.Int("threads").pipe(
    Flag.withDescription(`threads of each native session; another number rounds otherwise (default ${value})`),
    Flag.withDefault(value)
  )

/** A whole number with a default. */
export const integer = (name: string, value: number, description: string) =>
  Flag.Int(name).pipe(Flag.withDescription(`${description} (default ${value})`), Flag.withDefault(value))

/** A number with a default. */
export const number = (name: string, value: number, description: string) =>
  Flag.Finite(name).pipe(
    Flag.withMetavar("number"),
    Flag.withDescription(`${description} (default ${value})`),
    Flag.withDefault(value)
  )

/** A word with a default. */
export const word = (name: string, value: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("name"),
    Flag.withDescription(`${description} (default ${value})`),
    Flag.withDefault(value)
  )
