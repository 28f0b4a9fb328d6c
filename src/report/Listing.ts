import type { TextTable } from "./TextTable.ts"

/** A table that nothing has to be run for, such as the paper's Tables 1 and 2. */
export interface Listing {
  readonly name: string
  readonly title: string
  readonly table: () => TextTable
}

/**
 * A table that nothing has to be run for: what a file that `reproduce` is given may export in place of an experiment.
 *
 * @example
 * ```ts
 * import { Listing } from "homodistil/report"
 * const table = { title: "Table 1", caption: "", rowHeader: "Model", columns: [], rows: [] }
 * assert.ok(Listing.isListing(Listing.make({ name: "table1", title: "Table 1", table: () => table })))
 * ```
 */
export const make = (listing: Listing): Listing => listing

/** Whether a value is a listing as `make` gives it. */
export const isListing = (value: unknown): value is Listing =>
  typeof value === "object" &&
  value !== null &&
  typeof Reflect.get(value, "name") === "string" &&
  typeof Reflect.get(value, "title") === "string" &&
  typeof Reflect.get(value, "table") === "function"
