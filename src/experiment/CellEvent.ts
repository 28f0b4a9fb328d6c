import type { DistillEvent } from "../distill/index.ts"
import type { Measure } from "../evaluate/index.ts"
import type { OutputError } from "../spec/index.ts"
import type { Point } from "./Cell.ts"
import type { StoreError } from "./RunStore.ts"

/** What happens while a cell is run. */
export type CellEvent =
  | { readonly _tag: "Distilled"; readonly event: DistillEvent }
  | { readonly _tag: "CurvePoint"; readonly point: Point }
  | { readonly _tag: "Measuring"; readonly measure: string }

/** What can stop a cell besides divergence, which is a result. */
export type CellFailure = Measure.MeasureError | StoreError | OutputError
