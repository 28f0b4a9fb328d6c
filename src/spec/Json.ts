/** A value that survives JSON: what a spec may be made of. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

/** A JSON object: the options of a component. */
export type JsonObject = { readonly [key: string]: Json }

/**
 * The canonical text of a JSON value: keys sorted, no white space, so equal values have equal texts.
 *
 * Throws a `RangeError` on `NaN` and infinities, which JSON cannot carry: a spec that holds one is a bug.
 *
 * @example
 * ```ts
 * import { canonical } from "homodistil/spec"
 * assert.equal(canonical({ b: 1, a: [true, null] }), '{"a":[true,null],"b":1}')
 * ```
 */
export const canonical = (value: Json): string => {
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new RangeError(`a spec cannot hold ${value}`)
    return JSON.stringify(value)
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value)
  if (isArray(value)) return `[${value.map(canonical).join(",")}]`
  const fields = Object.keys(value)
    .sort()
    .flatMap((key) => {
      const field = value[key]
      return field === undefined ? [] : [`${JSON.stringify(key)}:${canonical(field)}`]
    })
  return `{${fields.join(",")}}`
}

const isArray = (value: Json): value is ReadonlyArray<Json> => Array.isArray(value)
