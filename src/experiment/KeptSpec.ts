import { type Json, type JsonObject, Spec } from "../spec/index.ts"

const isList = (value: Json): value is ReadonlyArray<Json> => Array.isArray(value)

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !isList(value)

/**
 * The spec that a JSON value is; `undefined` where it is none. Kept specs are read and compared, never run.
 *
 * @example
 * ```ts
 * import { KeptSpec } from "homodistil/experiment"
 * import { Spec } from "homodistil/spec"
 * const spec = Spec.make("platon", { options: { window: 10 } })
 * assert.deepEqual(KeptSpec.read(Spec.toJson(spec)), spec)
 * assert.equal(KeptSpec.read({ window: 10 }), undefined)
 * ```
 */
export const read = (value: Json | undefined): Spec.Spec | undefined => {
  if (!isObject(value)) return undefined
  const { name, version, options, parts, ...rest } = value
  if (typeof name !== "string" || typeof version !== "number" || !isObject(options)) return undefined
  if (Object.keys(rest).length > 0) return undefined
  if (parts === undefined) return { name, version, options }
  const inner = isList(parts) ? specsOf(parts) : undefined
  return inner === undefined ? undefined : { name, version, options, parts: inner }
}

const specsOf = (list: ReadonlyArray<Json>): ReadonlyArray<Spec.Spec> | undefined => {
  const specs = list.flatMap((value) => read(value) ?? [])
  return specs.length === list.length ? specs : undefined
}

/** A spec's own line: its name, its version above the first, and what it is made of. */
const head = ({ name, version, parts }: Spec.Spec): string =>
  `${name}${version === 1 ? "" : ` v${version}`}${parts === undefined ? "" : `(${parts.map((part) => part.name).join(", ")})`}`

/** A path one step further; a key that is no plain word stands in quotes. */
const join = (path: string, key: string): string => {
  const word = /^[\w#-]+$/.test(key) ? key : JSON.stringify(key)
  return path === "" ? word : `${path}.${word}`
}

/** Specs by their names, the second of a name with `#2` behind it. */
const labelled = (specs: ReadonlyArray<Spec.Spec>): ReadonlyArray<readonly [label: string, spec: Spec.Spec]> =>
  specs.map((spec, i) => {
    const before = specs.slice(0, i).filter(({ name }) => name === spec.name).length
    return [before === 0 ? spec.name : `${spec.name}#${before + 1}`, spec]
  })

type Leaf = readonly [path: string, value: Json]

const keysOf = (value: JsonObject): ReadonlyArray<readonly [string, Json]> =>
  Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))

/** The leaves of a spec; `named` where the path ends with its name, which its parent has told. */
const ofSpec = (path: string, spec: Spec.Spec, named: boolean): ReadonlyArray<Leaf> => {
  const base = named ? path : join(path, spec.name)
  const told = named && spec.parts === undefined && spec.version === 1
  return [
    ...(told ? [] : [[path, head(spec)] as const]),
    ...keysOf(spec.options).flatMap(([key, value]) => ofValue(join(base, key), value)),
    ...labelled(spec.parts ?? []).flatMap(([label, part]) => ofSpec(join(base, label), part, true))
  ]
}

const ofValue = (path: string, value: Json): ReadonlyArray<Leaf> => {
  const spec = read(value)
  if (spec !== undefined) return ofSpec(path, spec, false)
  if (isList(value) && value.length > 0) {
    const specs = specsOf(value)
    if (specs === undefined) return value.flatMap((item, i) => ofValue(`${path}[${i}]`, item))
    return [
      [path, specs.map(({ name }) => name).join(", ")],
      ...labelled(specs).flatMap(([label, part]) => ofSpec(join(path, label), part, true))
    ]
  }
  if (!isObject(value) || Object.keys(value).length === 0) return [[path, value]]
  return keysOf(value).flatMap(([key, inner]) => ofValue(join(path, key), inner))
}

const isEmpty = (value: Json): boolean => isObject(value) && Object.keys(value).length === 0

/** What is inside of a value that is not divided further, by dotted path. */
export type Leaves = ReadonlyMap<string, Json>

/**
 * The leaves of a JSON value by dotted path: for each spec its name with those of its parts, and its options below it.
 *
 * Different values have different leaves, where no component has an option that is called like one of its parts.
 *
 * @example
 * ```ts
 * import { KeptSpec } from "homodistil/experiment"
 * import { Spec } from "homodistil/spec"
 * const kl = Spec.make("kl", { options: { temperature: 2 } })
 * const loss = Spec.toJson(Spec.make("sum", { parts: [Spec.make("maskedLm"), kl] }))
 * assert.deepEqual([...KeptSpec.leaves({ loss, seed: 1 })], [
 *   ["loss", "sum(maskedLm, kl)"],
 *   ["loss.sum.kl.temperature", 2],
 *   ["seed", 1]
 * ])
 * ```
 */
export const leaves = (value: Json): Leaves => new Map(isEmpty(value) ? [] : ofValue("", value))

/** The components of the plan of a cell's spec, by name: `student`, `scorer`, `ratio`, … */
export const components = (spec: JsonObject): { readonly [component: string]: Spec.Spec } =>
  Object.fromEntries(
    (read(spec["plan"])?.parts ?? []).flatMap(({ name, parts = [] }) => {
      const [only] = parts
      return only === undefined || parts.length > 1 ? [] : [[name, only]]
    })
  )

/** A cell's spec with the components of its plan by name in place of the plan, where nothing is lost by that. */
export const unfolded = (spec: JsonObject): JsonObject => {
  const plan = read(spec["plan"])
  const whole = Object.fromEntries(Object.entries(components(spec)).map(([name, part]) => [name, Spec.toJson(part)]))
  const plain =
    plan !== undefined &&
    Object.keys(plan.options).length === 0 &&
    Object.keys(whole).length === plan.parts?.length &&
    [plan, ...plan.parts].every(({ version }) => version === 1) &&
    plan.parts.every(({ options }) => Object.keys(options).length === 0)
  return plain ? { ...spec, plan: whole } : spec
}

/** Everything that a path is inside of. */
const outside = (path: string): ReadonlyArray<string> => [
  "",
  ...[...path.matchAll(/[.[]/g)].map(({ index }) => path.slice(0, index))
]

/**
 * The paths whose values are not the same everywhere, in order. What some lack only because they have another component, as a path above
 * says, is left out where all that have it have the same.
 *
 * @example
 * ```ts
 * import { KeptSpec } from "homodistil/experiment"
 * const cells = [0, 1].map((seed) => KeptSpec.leaves({ seed, steps: 40 }))
 * assert.deepEqual(KeptSpec.varying(cells), ["seed"])
 * ```
 */
export const varying = (all: ReadonlyArray<Leaves>): ReadonlyArray<string> => {
  const values = new Map<string, { readonly texts: Set<string>; count: number }>()
  for (const each of all) {
    for (const [path, value] of each) {
      const seen = values.get(path) ?? { texts: new Set(), count: 0 }
      values.set(path, seen)
      seen.texts.add(JSON.stringify(value))
      seen.count++
    }
  }
  const told = (path: string, count: number): boolean =>
    outside(path).some((above) => {
      const seen = values.get(above)
      return seen !== undefined && (seen.texts.size > 1 || seen.count === count)
    })
  return [...values]
    .flatMap(([path, { texts, count }]) => (texts.size > 1 || (count < all.length && !told(path, count)) ? [path] : []))
    .toSorted()
}

/** What of many cells' specs is not the same in all of them. */
export interface Columns {
  readonly paths: ReadonlyArray<string>
  /** The leaves of each spec, those of parts that are the same in all of them left out. */
  readonly leaves: ReadonlyArray<Leaves>
}

/**
 * What is not the same in all of these specs, by path.
 *
 * @example
 * ```ts
 * import { KeptSpec } from "homodistil/experiment"
 * const { paths, leaves } = KeptSpec.columns([{ seed: 0, steps: 40 }, { seed: 1, steps: 40 }])
 * assert.deepEqual(paths, ["seed"])
 * assert.deepEqual(leaves.map((each) => each.get("seed")), [0, 1])
 * ```
 */
export const columns = (specs: ReadonlyArray<JsonObject>): Columns => {
  const keys = [...new Set(specs.flatMap((spec) => Object.keys(spec)))].toSorted()
  // many cells have few different plans: each is taken apart once
  const parts = keys.flatMap((key) => {
    const texts = specs.map((spec) => JSON.stringify(spec[key] ?? null))
    const different = new Map(specs.map((spec, i) => [texts[i] ?? "", spec[key]] as const))
    if (different.size === 1) return []
    const known = new Map(
      [...different].map(([text, value]) => [text, leaves(value === undefined ? {} : unfolded({ [key]: value }))])
    )
    return [{ texts, known, paths: varying([...known.values()]) }]
  })
  return {
    paths: parts.flatMap(({ paths }) => paths),
    leaves: specs.map((_, i) => new Map(parts.flatMap(({ texts, known }) => [...(known.get(texts[i] ?? "") ?? [])])))
  }
}

/** A spec as a short text with only those options of which `wanted` is true; components that it is made of are always named. */
const brief = (path: string, spec: Spec.Spec, named: boolean, wanted: (path: string) => boolean): string => {
  const base = named ? path : join(path, spec.name)
  const inside = [
    ...keysOf(spec.options).flatMap(([key, value]) => (wanted(join(base, key)) ? [`${key}: ${text(value)}`] : [])),
    ...labelled(spec.parts ?? []).map(([label, part]) => brief(join(base, label), part, true, wanted))
  ]
  const name = spec.version === 1 ? spec.name : `${spec.name} v${spec.version}`
  return inside.length === 0 ? name : `${name}(${inside.join(", ")})`
}

/**
 * Short texts for specs of one kind that tell them apart: the options that are the same in all that have them are left out.
 *
 * @example
 * ```ts
 * import { KeptSpec } from "homodistil/experiment"
 * import { Spec } from "homodistil/spec"
 * const cubic = (final: number) => Spec.make("cubic", { options: { end: 0.7, final } })
 * assert.deepEqual(KeptSpec.briefs([cubic(0.5), cubic(0.25), Spec.make("constant")]), ["cubic(final: 0.5)", "cubic(final: 0.25)", "constant"])
 * ```
 */
export const briefs = (specs: ReadonlyArray<Spec.Spec>): ReadonlyArray<string> => {
  const varied = varying(specs.map((spec) => new Map(ofSpec("", spec, false))))
  const wanted = (path: string) =>
    varied.some((each) => each === path || each.startsWith(`${path}.`) || each.startsWith(`${path}[`))
  return specs.map((spec) => brief("", spec, false, wanted))
}

/**
 * A value for people: a spec as `name(option: value)`, a text as it is, all else as JSON.
 *
 * @example
 * ```ts
 * import { KeptSpec } from "homodistil/experiment"
 * assert.equal(KeptSpec.text({ name: "kl", version: 1, options: { temperature: 2 } }), "kl(temperature: 2)")
 * assert.equal(KeptSpec.text([1, 2]), "[1,2]")
 * ```
 */
export const text = (value: Json): string => {
  const spec = read(value)
  if (spec !== undefined) return Spec.describe(spec)
  return typeof value === "string" ? value : JSON.stringify(value)
}

/**
 * A value as an indented tree, one line a leaf; a spec's options and parts stand under its name.
 *
 * @example
 * ```ts
 * import { KeptSpec } from "homodistil/experiment"
 * const kl = { name: "kl", version: 1, options: { temperature: 2 } }
 * assert.deepEqual(KeptSpec.tree({ loss: kl, seed: 0 }), ["loss  kl", "  temperature  2", "seed  0"])
 * ```
 */
export const tree = (value: JsonObject): ReadonlyArray<string> =>
  keysOf(value).flatMap(([key, inner]) => branch(key, inner))

const indented = (lines: ReadonlyArray<string>): ReadonlyArray<string> => lines.map((line) => `  ${line}`)

const under = ({ options, parts = [] }: Spec.Spec): ReadonlyArray<string> =>
  indented([...tree(options), ...parts.flatMap(twig)])

const twig = (spec: Spec.Spec): ReadonlyArray<string> => [named(spec), ...under(spec)]

const named = ({ name, version }: Spec.Spec): string => (version === 1 ? name : `${name} v${version}`)

const branch = (label: string, value: Json): ReadonlyArray<string> => {
  const spec = read(value)
  if (spec !== undefined) return [`${label}  ${named(spec)}`, ...under(spec)]
  const specs = isList(value) && value.length > 0 ? specsOf(value) : undefined
  if (specs !== undefined) return [label, ...indented(specs.flatMap(twig))]
  if (isObject(value) && Object.keys(value).length > 0) return [label, ...indented(tree(value))]
  return [`${label}  ${typeof value === "string" ? value : JSON.stringify(value)}`]
}
