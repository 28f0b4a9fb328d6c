import * as Schema from "effect/Schema"
import { Cell, type CellEvent } from "../experiment/index.ts"

/** An event of a cell, as the processes of one program trust each other to send it. */
const Event = Schema.declare(
  (value: unknown): value is CellEvent => typeof value === "object" && value !== null && "_tag" in value
)

/** What a process that runs cells says. */
export const CellMessage = Schema.Union([
  Schema.TaggedStruct("Ready", {}),
  /** A cell of the group is begun, or gone on with from a step. */
  Schema.TaggedStruct("Started", { key: Schema.String, from: Schema.optionalKey(Schema.Int) }),
  /** A cell of the group is left to another process that works on it. */
  Schema.TaggedStruct("Elsewhere", { key: Schema.String }),
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

/** What such a process is told: the keys of a group of cells to run, or to stop, keeping what is in hand. */
export const Order = Schema.Union([Schema.Array(Schema.String), Schema.Literal("stop")])

/** Whether an event is worth telling another process: snapshots are large, and nobody looks at them. */
export const isTold = (event: CellEvent): boolean => event._tag !== "Distilled" || event.event._tag !== "Snapshot"
