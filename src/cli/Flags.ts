import * as Flag from "effect/cli/Flag"

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
