import * as Schema from "effect/Schema"
import { Cell, type CellRun } from "../experiment/index.ts"

/** An event of a cell, as the processes of one program trust each other to send it. */
const Event = Schema.declare(
  (value: unknown): value is CellRun.CellEvent => typeof value === "object" && value !== null && "_tag" in value
)

/** What a process that runs cells says. */
export const CellMessage = Schema.Union([
  Schema.TaggedStruct("Ready", {}),
  /** A cell of the group is begun. */
  Schema.TaggedStruct("Started", { key: Schema.String }),
  Schema.TaggedStruct("Progress", { key: Schema.String, event: Event }),
  Schema.TaggedStruct("Finished", { result: Cell.CellResult }),
  /** The last cell of the group is finished. */
  Schema.TaggedStruct("Done", {}),
  /** Something to correct; the text says what. */
  Schema.TaggedStruct("Failed", { message: Schema.String }),
  /** A bug, and where. */
  Schema.TaggedStruct("Died", { stack: Schema.String }),
  /** The process is gone. */
  Schema.TaggedStruct("Gone", { how: Schema.String })
])

/** What a process that runs cells says. */
export type CellMessage = typeof CellMessage.Type

/** The keys of a group of cells: what such a process is told to run. */
export const Keys = Schema.Array(Schema.String)

/** Whether an event is worth telling another process: snapshots are large, and nobody looks at them. */
export const isTold = (event: CellRun.CellEvent): boolean =>
  event._tag !== "Distilled" || event.event._tag !== "Snapshot"
