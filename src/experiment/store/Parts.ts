import { canonical, Digest, type Json, type JsonObject } from "../../spec/index.ts"

// What many values have in common is written once: long parts are kept under names, and values hold the names.

/** Parts of values by their names. */
export type Parts = ReadonlyMap<string, Json>

/** Takes in a part, which holds the names of its own long parts; these were told before it. */
export type Tell = (name: string, part: Json) => void

/** What a name begins with; a text that begins so and is none has it twice. */
const mark = "#"

/** A part whose text is longer than this is kept under a name. */
const longest = 40

const isList = (value: Json): value is ReadonlyArray<Json> => Array.isArray(value)

const mapFields = (value: JsonObject, to: (field: Json, key: string) => Json): JsonObject =>
  Object.fromEntries(Object.entries(value).map(([key, field]) => [key, to(field, key)]))

const named = (value: Json, tell: Tell): Json => {
  const part = inner(value, tell)
  const text = canonical(part)
  if (text.length <= longest) return part
  const name = `${mark}${Digest.ofBytes(text).slice(0, 16)}`
  tell(name, part)
  return name
}

const inner = (value: Json, tell: Tell): Json => {
  if (typeof value === "string") return value.startsWith(mark) ? mark + value : value
  if (value === null || typeof value !== "object") return value
  return isList(value) ? value.map((item) => named(item, tell)) : mapFields(value, (field) => named(field, tell))
}

/** The value of a part, the parts it names being known; `undefined` where one of them is not. */
export const whole = (part: Json, parts: Parts): Json | undefined => {
  if (typeof part === "string") {
    if (!part.startsWith(mark)) return part
    return part.startsWith(mark, 1) ? part.slice(1) : parts.get(part)
  }
  if (part === null || typeof part !== "object") return part
  const names = Object.values(part)
  const values = names.map((each) => whole(each, parts)).filter((value) => value !== undefined)
  if (values.length < names.length) return undefined
  return isList(part) ? values : Object.fromEntries(Object.keys(part).map((key, i) => [key, values[i] ?? null]))
}

/** An object as the fields that are its own and a part that holds all others. */
export type Folded = {
  readonly own: JsonObject
  readonly rest: Json
}

/** An object as those of its fields that are its own, as they are, and a part with all others. */
export const fold = (value: JsonObject, own: ReadonlyArray<string>, tell: Tell): Folded => ({
  own: Object.fromEntries(Object.entries(value).filter(([key]) => own.includes(key))),
  // keys stay in their places
  rest: named(
    mapFields(value, (field, key) => (own.includes(key) ? null : field)),
    tell
  )
})

/** The object that was folded; `undefined` where a part is not known. What objects have in common is one object in all of them. */
export const unfold = ({ own, rest }: Folded, parts: Parts): JsonObject | undefined => {
  const others = whole(rest, parts)
  return others === null || typeof others !== "object" || isList(others) ? undefined : { ...others, ...own }
}
