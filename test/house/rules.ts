import { posix } from "node:path"

/** A file of the project: its path from the root, and its text. */
export interface File {
  readonly path: string
  readonly text: string
}

/** A house rule: the whole project in, one line a problem out, each with the file, the rule and the fix. */
export type Rule = (files: ReadonlyArray<File>) => ReadonlyArray<string>

/** The floors of the house: a room imports only from lower levels. */
export const levels: Readonly<Record<string, number>> = {
  spec: 0,
  backend: 1,
  data: 1,
  schedule: 1,
  model: 2,
  loss: 3,
  importance: 3,
  optimizer: 3,
  pruning: 3,
  checkpoint: 3,
  distill: 4,
  evaluate: 4,
  experiment: 5,
  report: 6,
  cli: 7
}

const isSource = (file: File): boolean => /^src\/.+\.ts$/.test(file.path)
const isTypeScript = (file: File): boolean => file.path.endsWith(".ts")
const isDoor = (path: string): boolean => path === "src/main.ts" || path.startsWith("src/cli/")
const room = (path: string): string | undefined => /^src\/([^/]+)\//.exec(path)?.[1]

/** The text without comments and without what stands in quotes, so that rules about code read only code. */
export const code = (text: string): string =>
  text.replace(
    /\/\*[\s\S]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g,
    (token) => (token.startsWith("/") ? "" : '""') + "\n".repeat(token.split("\n").length - 1)
  )

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*/gm, "")

const imports = (text: string): ReadonlyArray<string> =>
  [...withoutComments(text).matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)"([^"]+)"/g)].map((match) => match[1] ?? "")

/** Imports go down a level; peers never meet; another room is entered by its index. */
export const importsGoDown: Rule = (files) =>
  files.filter(isSource).flatMap(({ path, text }) =>
    imports(text).flatMap((target) => {
      const from = room(path)
      const problem = (what: string) => [`${path}: imports "${target}"; ${what}`]
      if (from !== undefined && levels[from] === undefined)
        return [`${path}: ${from}/ is no room; add its level to test/house`]
      if (target === "effect") return problem('import the module, e.g. "effect/Effect"')
      if (target.startsWith("homodistil")) return problem("inside src/ import by path: ../<room>/index.ts")
      if (/^(@tensorflow\/|onnxruntime|koffi)/.test(target) && from !== "backend")
        return problem("only backend/ knows it; take it from ../backend/index.ts")
      if (!target.startsWith(".")) return []
      if (!/\.(ts|json)$/.test(target)) return problem("write the ending: .ts")
      const file = posix.join(posix.dirname(path), target)
      const to = room(file)
      if (from === undefined) return []
      if (to === undefined) return problem("a room does not import from outside the rooms; pass a value or a function")
      if (from === to)
        return file === `src/${to}/index.ts` ? problem("inside a room import the file, not the index") : []
      if (file !== `src/${to}/index.ts`) return problem(`enter another room by its index: ../${to}/index.ts`)
      return (levels[to] ?? Infinity) < (levels[from] ?? 0)
        ? []
        : problem(`${from}/ may not import ${to}/; pass a value or a function`)
    })
  )

/** No file above 400 lines, no index above 30. */
export const filesAreSmall: Rule = (files) =>
  files.filter(isTypeScript).flatMap(({ path, text }) => {
    const lines = text.replace(/\n$/, "").split("\n").length
    const bound = /^src\/.*index\.ts$/.test(path) ? 30 : 400
    return lines > bound ? [`${path}: ${lines} lines, above ${bound}; split it by noun`] : []
  })

/** Every source with something to run has its test at the same place, or its name in a table of laws or in its folder's test. */
export const testsMirror: Rule = (files) => {
  const texts = (prefix: string) =>
    files.flatMap(({ path, text }) => (path.startsWith(prefix) ? [text] : [])).join("\n")
  const laws = code(texts("test/laws/"))
  return files.filter(isSource).flatMap(({ path, text }) => {
    const name = posix.basename(path, ".ts")
    const test = path.replace(/^src\//, "test/").replace(/\.ts$/, ".test.ts")
    const folder = room(path) === "cli" ? "test/cli" : `${posix.dirname(test)}.test.ts`
    // an error's message is shown, and run, by its example
    const values = code(text).replace(/^export class \w+ extends (?:Schema|Data)\.TaggedError\b/gm, "")
    const runs = /^export (?:default|(?:async )?function|abstract|class|const|let)\b/m.test(values)
    const named = new RegExp(`\\b${name}\\b`)
    if (room(path) === undefined || name === "index" || !runs || files.some((file) => file.path === test)) return []
    if (named.test(laws) || named.test(texts(folder))) return []
    return [`${path}: has no test; write ${test}, name it in ${folder}, or join the table of its kind in test/laws/`]
  })
}

/** Every export says in a docstring what it is. */
export const exportsAreDocumented: Rule = (files) =>
  files.filter(isSource).flatMap(({ path, text }) => {
    const declaration = /^export (?:declare |abstract |async )*(?:const|function\*?|class|interface|type) (\w+)/
    const lines = text.split("\n")
    const named = lines.map((line) => declaration.exec(line)?.[1])
    return named.flatMap((name, i) => {
      const overload = name !== undefined && named.slice(0, i).includes(name)
      if (name === undefined || overload || (lines[i - 1] ?? "").trimEnd().endsWith("*/")) return []
      return [`${path}:${i + 1}: ${name} has no docstring; write /** one sentence saying what it is */ above it`]
    })
  })

/** Files are called by the noun they hold. */
export const namesSay: Rule = (files) =>
  files.filter(isTypeScript).flatMap(({ path }) => {
    const words = path.split("/").map((part) => part.replace(/(\.test)?\.ts$/, "").toLowerCase())
    const banned = words.find((word) => /^(utils?|helpers?|common|misc|core|managers?)$/.test(word))
    return banned === undefined ? [] : [`${path}: "${banned}" says nothing; call it by the noun it holds`]
  })

const hidden: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bMath\.random\b/, 'Math.random; draw from a seed: Seed.child(seed, "purpose", step)'],
  [/\bDate\b(?!\w)/, "Date; time is an argument, or effect/Clock at the edge"],
  [/\bperformance\.now\b/, "performance.now; time is an argument, or effect/Clock at the edge"],
  [/\bprocess\.env\b/, "process.env; the environment is read in cli/ and main.ts only"],
  [/\bconsole\./, "console; only cli/ prints: return a value or an event"]
]

/** Randomness, time, environment and printing stay out of the rooms. */
export const nothingHidden: Rule = (files) =>
  files
    .filter((file) => isSource(file) && !isDoor(file.path))
    .flatMap(({ path, text }) =>
      hidden.flatMap(([pattern, fix]) => (pattern.test(code(text)) ? [`${path}: uses ${fix}`] : []))
    )

/** No class but services, errors and what tfjs wants as a class; no comment that silences a check. */
export const nothingForbidden: Rule = (files) =>
  files.filter(isTypeScript).flatMap(({ path, text }) => {
    const silenced = /(?:es|ox)lint-disable|@ts-(?:ignore|nocheck|expect-error)|@effect-diagnostics/.exec(text)?.[0]
    const classes = isSource({ path, text })
      ? [...code(text).matchAll(/^(?:export )?(?:abstract )?class (\w+)(?:\s+extends\s+([\w.]+))?/gm)]
      : []
    return [
      ...(silenced === undefined || path.startsWith("test/house")
        ? []
        : [`${path}: ${silenced} silences a check; change the code so that it passes`]),
      ...classes
        .filter(
          ([, , parent]) =>
            !/^(Context\.\w+|(Schema|Data)\.TaggedError|KernelBackend|tf\.KernelBackend)$/.test(parent ?? "")
        )
        .map(
          ([, name]) =>
            `${path}: class ${name}; classes are for services and errors: make it data and pure functions, or extend Schema.TaggedError`
        )
    ]
  })

// written in pieces, so that this file passes its own rule
const places = new RegExp(
  `(^|[\\s"'\`(=:])/(${["work", "tmp", "root", "home/\\w+", "Users/\\w+"].join("|")})(/|\\b)`,
  "m"
)

/** Nothing committed names a path of the machine it was written on, or where its packages came from. */
export const noMachine: Rule = (files) =>
  files.flatMap(({ path, text }) => {
    const line = text.split("\n").findIndex((each) => places.test(each))
    return [
      ...(line < 0 ? [] : [`${path}:${line + 1}: names a path of one machine; make it relative, or an argument`]),
      ...(path.endsWith("package-lock.json") && text.includes('"resolved":')
        ? [`${path}: names a registry; make it again with omit-lockfile-registry-resolved=true`]
        : [])
    ]
  })
