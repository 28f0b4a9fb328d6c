import type { Json, JsonObject } from "./Json.ts"

/**
 * The serialisable description of a component: what it is called, which version of its arithmetic, and its options.
 *
 * Specs are hashed into a cell's key, compared and printed; they are never turned back into code, so a
 * component written outside this package needs no registry.
 */
export interface Spec {
  readonly name: string
  /** Raised when the numbers the component produces change, so that old cells are not mistaken for new ones. */
  readonly version: number
  readonly options: JsonObject
  /** The components it wraps or combines. */
  readonly parts?: ReadonlyArray<Spec>
}

/**
 * Makes a spec; version 1 and no options unless given.
 *
 * @example
 * ```ts
 * import { Spec } from "homodistil/spec"
 * const inner = Spec.make("sensitivity")
 * const outer = Spec.make("windowMean", { options: { window: 10 }, parts: [inner] })
 * assert.equal(Spec.describe(outer), "windowMean(window: 10, sensitivity)")
 * ```
 */
export const make = (
  name: string,
  rest: { readonly version?: number; readonly options?: JsonObject; readonly parts?: ReadonlyArray<Spec> } = {}
): Spec => ({
  name,
  version: rest.version ?? 1,
  options: rest.options ?? {},
  ...(rest.parts === undefined ? {} : { parts: rest.parts })
})

/** The spec as JSON, for hashing and storing. */
export const toJson = (spec: Spec): JsonObject => ({
  name: spec.name,
  version: spec.version,
  options: spec.options,
  ...(spec.parts === undefined ? {} : { parts: spec.parts.map(toJson) })
})

/** The spec as a short text for people: `name(option: value, part)`. */
export const describe = (spec: Spec): string => {
  const options = Object.entries(spec.options).map(([key, value]) => `${key}: ${text(value)}`)
  const inside = [...options, ...(spec.parts ?? []).map(describe)]
  return inside.length === 0 ? spec.name : `${spec.name}(${inside.join(", ")})`
}

const text = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value))
