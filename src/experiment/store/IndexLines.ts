import type { Json } from "../../spec/index.ts"
import type { CellResult } from "../Cell.ts"
import * as CheckedLine from "./CheckedLine.ts"
import * as Parts from "./Parts.ts"
import type * as Stamp from "./Stamp.ts"

/** What an index holds of a finished cell, and which file it read that from. */
export type Indexed = Pick<CellResult, "key" | "spec" | "measures" | "provenance"> & {
  readonly diverged: boolean
  /** Of all the cell's objects. */
  readonly bytes: number
  readonly result: Stamp.Stamp
}

/** A line is a cell, or a part that cells below it name in their specs and provenance. Lines of another format are not read. */
type Line = { readonly format: 2 } & (
  | { readonly part: string; readonly value: Json }
  | { readonly cell: { readonly spec: Parts.Folded; readonly provenance: Parts.Folded } }
)

/** What cells do not have in common. */
const own = { spec: ["seed"], provenance: ["seconds", "trainSeconds", "finished", "resumed"] }

/** The lines of cells, each with the parts before it that are not `known` yet, and the names of these. */
export const encode = (
  cells: ReadonlyArray<Indexed>,
  known: { readonly has: (part: string) => boolean }
): { readonly text: string; readonly parts: ReadonlySet<string> } => {
  const parts = new Set<string>()
  const lines: Array<string> = []
  const add = (line: Line): void => void lines.push(`${CheckedLine.of(line)}\n`)
  const tell = (part: string, value: Json): void => {
    if (known.has(part) || parts.has(part)) return
    parts.add(part)
    add({ format: 2, part, value })
  }
  for (const { spec, provenance, ...rest } of cells) {
    const folded = {
      spec: Parts.fold(spec, own.spec, tell),
      provenance: Parts.fold(provenance, own.provenance, tell)
    }
    add({ format: 2, cell: { ...rest, ...folded } })
  }
  return { text: lines.join(""), parts }
}

/** What the text of an index says. */
export interface Known {
  /** The last word about each key, and the length of its line. */
  readonly cells: ReadonlyMap<string, { readonly indexed: Indexed; readonly length: number }>
  readonly parts: Parts.Parts
  /** The length of the parts' lines, each counted once. */
  readonly partsLength: number
}

// a checksum says that a line is what was written here, so no more is asked than which kind it is
const isLine = (value: unknown): value is Line =>
  typeof value === "object" &&
  value !== null &&
  "format" in value &&
  value.format === 2 &&
  ("part" in value || "cell" in value)

const isIndexed = (value: object): value is Indexed => "key" in value

/** Reads the text of an index. Damaged lines say nothing, nor do those of cells that name a part which is not there. */
export const decode = (text: string): Known => {
  const cells = new Map<string, { readonly indexed: Indexed; readonly length: number }>()
  const parts = new Map<string, Json>()
  let partsLength = 0
  for (const line of text.split("\n")) {
    const read: unknown = CheckedLine.isWhole(line) ? JSON.parse(line) : undefined
    if (!isLine(read)) continue
    if ("part" in read) {
      const value = parts.has(read.part) ? undefined : Parts.whole(read.value, parts)
      if (value === undefined) continue
      parts.set(read.part, value)
      partsLength += line.length
    } else {
      const spec = Parts.unfold(read.cell.spec, parts)
      const provenance = Parts.unfold(read.cell.provenance, parts)
      const indexed = { ...read.cell, spec, provenance }
      if (spec !== undefined && provenance !== undefined && isIndexed(indexed))
        cells.set(indexed.key, { indexed, length: line.length })
    }
  }
  return { cells, parts, partsLength }
}
